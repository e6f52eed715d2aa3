/**
 * Routes of the DHT's items (BEP 44) and peers: reading and storing them by the node.
 * @module
 */
import Type from 'typebox';
import { nodeCrypto } from '../../io/crypto.ts';
import { fromHex, toHex } from '../../lib/bytes.ts';
import { type BencodeValue, decode, encode } from '../../protocol/bencode/index.ts';
import {
  type DhtItem,
  isMutable,
  MAX_SALT_BYTES,
  MAX_VALUE_BYTES,
  targetOf,
} from '../../protocol/dht/index.ts';
import { formatEndpoint } from '../address.ts';
import { publicKeyOf, publisherSeed, signDhtItem } from '../dht-client.ts';
import type { DhtService } from '../dht-service.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { PeerNode } from '../peer-node.ts';

const tags = ['network'];
const Hash = Type.String({ pattern: '^[0-9a-fA-F]{40}$' });
const Salt = Type.Optional(Type.String({ maxLength: MAX_SALT_BYTES }));

const Item = Type.Object({
  target: Type.String(),
  value: Type.String({ description: 'Text; of other values their bencoding, base64.' }),
  isText: Type.Boolean(),
  key: Type.Optional(Type.String()),
  seq: Type.Optional(Type.Integer()),
});

/** Declares them. */
export function dhtItemRoutes(api: Api, node: PeerNode): void {
  readRoutes(api, node);
  api.post(
    '/dht/items',
    {
      schema: {
        tags,
        summary: 'Store a text in the DHT: as it is, or signed, so that it can be replaced',
        body: Type.Object(
          {
            value: Type.String({ minLength: 1, maxLength: MAX_VALUE_BYTES }),
            isMutable: Type.Optional(Type.Boolean()),
            salt: Salt,
          },
          { additionalProperties: false },
        ),
        response: { 201: Type.Object({ target: Type.String(), stored: Type.Integer() }) },
      },
    },
    async ({ body }, reply) => {
      const dht = needDht(node);
      const value = encode(body.value);
      if (value.length > MAX_VALUE_BYTES) {
        const mistakes = `expected at most ${MAX_VALUE_BYTES} bytes, got ${value.length}`;
        throw apiError('ERR_API_INVALID', { what: 'value', mistakes });
      }
      const salt = Buffer.from(body.salt ?? '');
      const [item, before] = await itemOf(dht, node, value, body.isMutable === true, salt);
      const { stored } = await dht.put(item, before);
      return reply.status(201).send({ target: toHex(targetOf(nodeCrypto, item)), stored });
    },
  );
}

function readRoutes(api: Api, node: PeerNode): void {
  api.get(
    '/dht/items/:name',
    {
      schema: {
        tags,
        summary: 'Read an item: by its target (40 hex digits), or by a key (64)',
        params: Type.Object({
          name: Type.String({ pattern: '^(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})$' }),
        }),
        querystring: Type.Object({ salt: Salt }),
        response: { 200: Item },
      },
    },
    async ({ params, query }) => {
      const dht = needDht(node);
      const name = fromHex(params.name.toLowerCase())!;
      const { item } = await (name.length === 20
        ? dht.get(name)
        : dht.getMutable(name, Buffer.from(query.salt ?? '')));
      if (item === undefined) {
        const hint = 'items that nobody puts again are forgotten after two hours';
        throw apiError('ERR_API_NOT_FOUND', { what: `item ${params.name}`, hint });
      }
      return shown(item);
    },
  );
  api.get(
    '/dht/peers/:infoHash',
    {
      schema: {
        tags,
        summary: 'Who is announced for a torrent',
        params: Type.Object({ infoHash: Hash }),
        response: { 200: Type.Object({ peers: Type.Array(Type.String()) }) },
      },
    },
    async ({ params }) => {
      const found = new Set<string>();
      await needDht(node).peers(fromHex(params.infoHash.toLowerCase())!, (peers) => {
        for (const peer of peers) found.add(formatEndpoint(peer));
      });
      return { peers: [...found] };
    },
  );
}

async function itemOf(
  dht: DhtService,
  node: PeerNode,
  value: Uint8Array,
  isSigned: boolean,
  salt: Uint8Array,
): Promise<[DhtItem, number | undefined]> {
  if (!isSigned) return [{ value }, undefined];
  const seed = publisherSeed(node.home);
  const { item } = await dht.getMutable(publicKeyOf(seed), salt);
  const before = item !== undefined && isMutable(item) ? item.seq : undefined;
  return [signDhtItem(seed, (before ?? 0) + 1, value, salt), before];
}

function shown(item: DhtItem): Static {
  const decoded = decode(item.value);
  const text = decoded.ok ? textOf(decoded.value) : undefined;
  return {
    target: toHex(targetOf(nodeCrypto, item)),
    value: text ?? Buffer.from(item.value).toString('base64'),
    isText: text !== undefined,
    ...(isMutable(item) ? { key: toHex(item.publicKey), seq: item.seq } : {}),
  };
}

type Static = Type.Static<typeof Item>;

function textOf(value: BencodeValue): string | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return undefined;
  }
}

/** @throws {AppError} ERR_API_CONFLICT when it is off. */
export function needDht({ dht }: PeerNode): DhtService {
  if (dht !== undefined) return dht;
  const remedy = 'turn it on with the setting discovery.dht, and start the node again';
  throw apiError('ERR_API_CONFLICT', { reason: 'This node takes no part in the DHT', remedy });
}
