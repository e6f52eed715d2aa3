/**
 * Shapes that several parts of the HTTP API use.
 * @module
 */
import Type, { type Static, type TSchema } from 'typebox';

/** A value or null: an answer names every field. */
export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Bytes, or bytes a second. */
export const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** Milliseconds since 1970. */
export const WallMs = Type.Number({ minimum: 0, description: 'Milliseconds since 1970.' });

/** The v1 info-hash, or the first 20 bytes of the v2 one. */
export const TorrentId = Type.String({
  pattern: '^[0-9a-f]{40}$',
  description: 'The v1 info-hash, or the first 20 bytes of the v2 one; 40 lower-case hex digits.',
});

/** Problem details (RFC 9457), with the code of docs/reference/errors.md. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'URI of the kind of problem.' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: 'What was expected, what came, what to do.' }),
    code: Type.String({ description: 'A code of docs/reference/errors.md.' }),
    torrent: Type.Optional(
      Type.String({ description: 'The torrent that is here already, of ERR_DUPLICATE.' }),
    ),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }), {
        description: 'Each mistake in what was sent.',
      }),
    ),
  },
  { $id: 'Problem' },
);
export type Problem = Static<typeof Problem>;

/** A request that has been taken; its outcome is told by events. */
export const Done = Type.Object({ ok: Type.Literal(true) });
