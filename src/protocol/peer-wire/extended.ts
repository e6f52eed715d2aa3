/**
 * The extension handshake and what a peer made of it over the life of a connection.
 *
 * Specs: BEP 10 (`m`, `v`, `p`, `reqq`, `yourip`), BEP 9 (`metadata_size`), BEP 21 (`upload_only`).
 * A field of a wrong type or out of its range counts as absent: only something that is no dictionary is a fault.
 * Bounds: 64 extensions, names of 64 bytes, ids of one byte, 32 MiB of metadata, a name of 64 characters.
 * @module
 */
import { ok, type Result } from '../../lib/errors.ts';
import { type BencodeDict, decodeDict, type Encodable, encode } from '../bencode/index.ts';
import {
  MAX_CLIENT_NAME_LENGTH,
  MAX_EXTENSION_NAME_BYTES,
  MAX_EXTENSIONS,
  MAX_METADATA_BYTES,
  MAX_REQQ,
} from './constants.ts';
import { fault, type PeerWireErrorCode } from './errors.ts';

/** The fields of an extension handshake; all optional. */
export interface ExtendedHandshake {
  /** `m`: extension name → id that its sender wants to receive it under; 0 turns it off. */
  readonly extensions: ReadonlyMap<string, number>;
  /** `v`: name and version of the client, at most 64 characters, control characters removed. */
  readonly client?: string;
  /** `p`: TCP port the sender listens on, 1 … 65535. */
  readonly port?: number;
  /** `reqq`: requests the sender queues without dropping any, 1 … 65535. */
  readonly reqq?: number;
  /** `metadata_size`: bytes of the info dictionary, 1 … 32 MiB. */
  readonly metadataBytes?: number;
  /** `upload_only`: the sender downloads nothing. */
  readonly uploadOnly?: boolean;
  /** `yourip`: the address the sender sees us at, 4 or 16 bytes. */
  readonly yourIp?: Uint8Array;
  /** `ipv4`: an address of the sender, 4 bytes. */
  readonly ipv4?: Uint8Array;
  /** `ipv6`: an address of the sender, 16 bytes. */
  readonly ipv6?: Uint8Array;
}

/** The payload of an extension handshake (behind the id byte 0); absent fields are left out. */
export function encodeExtendedHandshake(handshake: ExtendedHandshake): Uint8Array {
  const fields: Record<string, Encodable | undefined> = {
    m: new Map(handshake.extensions),
    v: handshake.client,
    p: handshake.port,
    reqq: handshake.reqq,
    metadata_size: handshake.metadataBytes,
    upload_only: handshake.uploadOnly === undefined ? undefined : Number(handshake.uploadOnly),
    yourip: handshake.yourIp,
    ipv4: handshake.ipv4,
    ipv6: handshake.ipv6,
  };
  return encode(fields);
}

/**
 * Reads an extension handshake.
 * @param payload what follows the id byte 0.
 * @returns ERR_EXTENDED_HANDSHAKE when it is not a bencoded dictionary.
 */
export function decodeExtendedHandshake(
  payload: Uint8Array,
): Result<ExtendedHandshake, PeerWireErrorCode> {
  const decoded = decodeDict(payload, { maxDepth: 8, maxTokens: 4096 });
  if (!decoded.ok) return fault('ERR_EXTENDED_HANDSHAKE', { reason: decoded.message });
  const dict = decoded.value;
  const client = dict
    .text('v')
    ?.replace(/[\p{Cc}\p{Cf}]/gu, '')
    .slice(0, MAX_CLIENT_NAME_LENGTH);
  const port = intWithin(dict, 'p', 65_535);
  const reqq = dict.int('reqq');
  const metadataBytes = intWithin(dict, 'metadata_size', MAX_METADATA_BYTES);
  const uploadOnly = dict.int('upload_only');
  const yourIp = dict.bytes('yourip');
  const ipv4 = dict.bytes('ipv4');
  const ipv6 = dict.bytes('ipv6');
  return ok({
    extensions: readExtensions(dict.dict('m')),
    ...(client === undefined || client === '' ? {} : { client }),
    ...(port === undefined ? {} : { port }),
    ...(reqq === undefined || reqq < 1 ? {} : { reqq: Math.min(reqq, MAX_REQQ) }),
    ...(metadataBytes === undefined ? {} : { metadataBytes }),
    ...(uploadOnly === undefined ? {} : { uploadOnly: uploadOnly !== 0 }),
    ...(yourIp?.length === 4 || yourIp?.length === 16 ? { yourIp: yourIp.slice() } : {}),
    ...(ipv4?.length === 4 ? { ipv4: ipv4.slice() } : {}),
    ...(ipv6?.length === 16 ? { ipv6: ipv6.slice() } : {}),
  });
}

function intWithin(dict: BencodeDict, key: string, largest: number): number | undefined {
  const value = dict.int(key);
  return value !== undefined && value >= 1 && value <= largest ? value : undefined;
}

function readExtensions(m: BencodeDict | undefined): Map<string, number> {
  const extensions = new Map<string, number>();
  if (m === undefined) return extensions;
  for (const name of m.keys()) {
    if (extensions.size === MAX_EXTENSIONS) break;
    const id = m.int(name);
    if (id === undefined || id < 0 || id > 255 || name.length > MAX_EXTENSION_NAME_BYTES) continue;
    extensions.set(name, id);
  }
  return extensions;
}

/**
 * The ids a peer wants extension messages under. Handshakes may come again: `m` is additive and an id of 0 turns a name off.
 * Holds at most 64 names.
 */
export class PeerExtensions {
  readonly #ids = new Map<string, number>();

  /** Takes over the `m` of a handshake. */
  apply(extensions: ReadonlyMap<string, number>): void {
    for (const [name, id] of extensions) {
      if (id === 0) this.#ids.delete(name);
      else if (this.#ids.has(name) || this.#ids.size < MAX_EXTENSIONS) this.#ids.set(name, id);
    }
  }

  /** The id, 1 … 255, to send messages of extension `name` under; undefined when the peer does not take them. */
  idOf(name: string): number | undefined {
    return this.#ids.get(name);
  }
}
