/**
 * The base of every error that a caller may match on: a stable code, typed details, a sentence.
 *
 * An area declares a table (code -> sentence) in its `errors.ts` and makes its errors with
 * `defineErrors`; match on `code`, never on the message.
 * @module
 */

/** An error with a stable `code` and typed `details`; `message` says what was expected and what came. */
export class AppError<Code extends string = string, Details = unknown> extends Error {
  override readonly name: string = 'AppError';
  readonly code: Code;
  readonly details: Details;

  constructor(code: Code, message: string, details: Details, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** A table of error codes: each maps its typed details to one sentence. */
// biome-ignore lint/suspicious/noExplicitAny: each entry declares its own details type.
export type ErrorTable = Record<string, (details: any) => string>;

type DetailsOf<T extends ErrorTable, C extends keyof T> = Parameters<T[C]>[0];

/** The error maker of an area: `make('ERR_X', details)` gives an AppError whose sentence comes from the table. */
export function defineErrors<T extends ErrorTable>(
  table: T,
): <C extends keyof T & string>(
  code: C,
  details: DetailsOf<T, C>,
  cause?: unknown,
) => AppError<C, DetailsOf<T, C>> {
  return (code, details, cause) => {
    const sentence = table[code] as (value: unknown) => string;
    return new AppError(
      code,
      sentence(details),
      details,
      cause === undefined ? undefined : { cause },
    );
  };
}

/** A remote fault or a parse failure as a value: it is data, never thrown. */
export type Result<T, Code extends string = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: Code; readonly message: string };

/** A successful Result. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** A failed Result: `message` says what was expected and what came. */
export function fail<Code extends string>(
  code: Code,
  message: string,
): { readonly ok: false; readonly code: Code; readonly message: string } {
  return { ok: false, code, message };
}
