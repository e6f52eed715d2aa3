/**
 * Values for the fuzzer of the HTTP API: made of a schema, right, nearly right or hostile.
 * @module
 */
import type { Rng } from '../../src/lib/rng.ts';

// biome-ignore lint/suspicious/noExplicitAny: schemas and values are JSON.
export type Json = any;

/** Words that programs stumble over. */
const HOSTILE_TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\n\r\t',
  '\u202Egnp.exe',
  '\uD800',
  '\uFFFF',
  '😀'.repeat(50),
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'; DROP TABLE torrent; --",
  '%00',
  '%2e%2e%2f',
  '../../../../etc/passwd',
  '..\\..\\x',
  'CON',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e999',
  '__proto__',
  'constructor',
  'toString',
  '{{7*7}}',
  'x'.repeat(5_000),
  'magnet:?',
  'magnet:?xt=urn:btih:',
  'http://',
  'http://[::1',
  'http://127.0.0.1:1/none.torrent',
  'file:///etc/passwd',
  'starling://peer/',
];

const HOSTILE_NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  0.5,
  1e-300,
  1e308,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  -(2 ** 53),
  Number.MAX_SAFE_INTEGER,
];

const HOSTILE_KEYS = ['__proto__', 'constructor', 'toString', '', '\0', 'x'.repeat(300), 'id', '0'];

/** One of several. */
export function pick<T>(rng: Rng, list: readonly T[]): T {
  return list[rng.below(list.length)]!;
}

/** What no schema expects. */
export function hostileValue(rng: Rng): Json {
  switch (rng.below(9)) {
    case 0:
      return null;
    case 1:
      return rng.below(2) === 0;
    case 2:
    case 3:
      return pick(rng, HOSTILE_NUMBERS);
    case 4:
      return [];
    case 5:
      return deep(1 + rng.below(3_000), rng.below(2) === 0);
    case 6:
      return { [pick(rng, HOSTILE_KEYS)]: pick(rng, HOSTILE_TEXTS) };
    default:
      return pick(rng, HOSTILE_TEXTS);
  }
}

function deep(levels: number, isList: boolean): Json {
  let value: Json = 1;
  for (let n = 0; n < levels; n += 1) value = isList ? [value] : { a: value };
  return value;
}

/** What the fuzzer knows of the node, for values that mean something there. @param name of the field. */
export type Known = (name: string) => Json | undefined;

/** A value that a schema allows, as far as it says so. */
export function rightValue(schema: Json, rng: Rng, known: Known, document: Json, name = ''): Json {
  const meant = rng.below(4) > 0 ? known(name) : undefined;
  if (meant !== undefined) return meant;
  if (schema.$ref !== undefined) {
    const target = document.components.schemas[schema.$ref.split('/').at(-1)];
    return rightValue(target ?? {}, rng, known, document, name);
  }
  if (schema.enum !== undefined) return pick(rng, schema.enum);
  if (schema.const !== undefined) return schema.const;
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return rightValue(pick(rng, choices), rng, known, document, name);
  switch (schema.type) {
    case 'object':
      return objectOf(schema, rng, known, document);
    case 'array': {
      const most = Math.min(schema.maxItems ?? 4, 4);
      const length = Math.max(schema.minItems ?? 0, rng.below(most + 1));
      const item = () => rightValue(schema.items ?? {}, rng, known, document, name);
      return Array.from({ length }, item);
    }
    case 'integer':
    case 'number': {
      const { minimum = 0, maximum = 1e6 } = schema;
      return minimum + rng.below(Math.min(1e6, Math.max(1, maximum - minimum + 1)));
    }
    case 'boolean':
      return rng.below(2) === 0;
    case 'null':
      return null;
    case 'string':
      return textOf(schema, rng);
    default:
      return hostileValue(rng);
  }
}

function objectOf(schema: Json, rng: Rng, known: Known, document: Json): Json {
  const value: Record<string, Json> = {};
  const required: readonly string[] = schema.required ?? [];
  const properties = Object.entries<Json>(schema.properties ?? {});
  for (const [name, each] of properties) {
    if (!required.includes(name) && rng.below(properties.length > 6 ? 4 : 2) > 0) continue;
    value[name] = rightValue(each, rng, known, document, name);
  }
  return value;
}

function textOf({ pattern, minLength = 0, maxLength = 40 }: Json, rng: Rng): string {
  const hex = /^\^\[0-9a-f\]\{(\d+)\}\$$/.exec(pattern ?? '');
  const length = hex === null ? minLength + rng.below(Math.min(maxLength, 40)) : Number(hex[1]);
  const letters = hex === null ? 'abc xyz-._äß日0123' : '0123456789abcdef';
  return Array.from({ length }, () => pick(rng, [...letters])).join('');
}

/** The value with one thing in it that is wrong, missing or too much. */
export function spoilt(value: Json, rng: Rng): Json {
  if (typeof value !== 'object' || value === null || rng.below(8) === 0) return hostileValue(rng);
  if (Array.isArray(value)) {
    if (value.length === 0 || rng.below(4) === 0) {
      return [...value, ...Array.from({ length: 1 + rng.below(2_000) }, () => hostileValue(rng))];
    }
    const at = rng.below(value.length);
    return value.map((each, index) => (index === at ? spoilt(each, rng) : each));
  }
  const keys = Object.keys(value);
  if (keys.length === 0 || rng.below(4) === 0) {
    return { ...value, [pick(rng, HOSTILE_KEYS)]: hostileValue(rng) };
  }
  const key = pick(rng, keys);
  if (rng.below(4) > 0) return { ...value, [key]: spoilt(value[key], rng) };
  const { [key]: _, ...rest } = value;
  return rest;
}
