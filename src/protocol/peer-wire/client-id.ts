/**
 * Peer ids: making ours, and naming the client behind another's.
 * Spec: BEP 20 (Azureus and Shadow style). Ours is `-SL<major><minor><patch>0-` and 12 random characters; the code SL is in none of
 * the lists of BEP 20, libtorrent, Transmission and Azureus. A name is a hint for people: anybody can claim any.
 * @module
 */
import { fromLatin1, toLatin1 } from '../../lib/bytes.ts';
import type { Rng } from '../../lib/rng.ts';
import { peerWireError } from './errors.ts';

const CLIENT_CODE = 'SL';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const RANDOM_LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Azureus style: two letters after a dash. */
const CLIENTS: Readonly<Record<string, string>> = {
  AZ: 'Vuze',
  BC: 'BitComet',
  BI: 'BiglyBT',
  BT: 'BitTorrent',
  DE: 'Deluge',
  FD: 'Free Download Manager',
  FW: 'FrostWire',
  GR: 'GetRight',
  GT: 'anacrolix/torrent',
  KT: 'KTorrent',
  LT: 'libtorrent',
  LW: 'LimeWire',
  MG: 'MediaGet',
  MO: 'MonoTorrent',
  PI: 'PicoTorrent',
  SD: 'Xunlei',
  SL: 'Starling',
  TL: 'Tribler',
  TR: 'Transmission',
  UM: 'µTorrent Mac',
  UT: 'µTorrent',
  UW: 'µTorrent Web',
  WD: 'WebTorrent Desktop',
  WW: 'WebTorrent',
  XL: 'Xunlei',
  lt: 'rTorrent',
  qB: 'qBittorrent',
  rQ: 'rqbit',
};

/** Shadow style: one letter, version digits, dashes. */
const SHADOW_CLIENTS: Readonly<Record<string, string>> = {
  A: 'ABC',
  M: 'Mainline',
  Q: 'BTQueue',
  R: 'Tribler',
  S: 'Shadow',
  T: 'BitTornado',
};

/**
 * A fresh peer id of this program, 20 bytes.
 * @param version `major.minor.patch`, each 0 … 35 (written as one base-36 digit).
 * @throws {AppError} ERR_PEER_WIRE_ARGUMENT for another form.
 */
export function makePeerId(rng: Rng, version: string): Uint8Array {
  const digits = /^(\d+)\.(\d+)\.(\d+)/
    .exec(version)
    ?.slice(1)
    .map((part) => DIGITS[Number(part)]);
  if (digits === undefined || digits.includes(undefined)) {
    throw peerWireError('ERR_PEER_WIRE_ARGUMENT', {
      what: 'version',
      expected: 'major.minor.patch, each 0 to 35',
      actual: version,
    });
  }
  let text = `-${CLIENT_CODE}${digits.join('')}0-`;
  while (text.length < 20) text += RANDOM_LETTERS[rng.below(RANDOM_LETTERS.length)]!;
  return fromLatin1(text);
}

/** A short printable name for a peer id, such as `qBittorrent 4.5.0`; the id's printable letters when it follows no known style. */
export function clientName(peerId: Uint8Array): string {
  const text = toLatin1(peerId.subarray(0, 20));
  const azureus = /^-([A-Za-z~]{2})([0-9A-Za-z]{4})-/.exec(text);
  if (azureus !== null) {
    const code = azureus[1]!;
    const version = [...azureus[2]!].map((digit) => `${Number.parseInt(digit, 36)}`);
    if (version[3] === '0') version.pop();
    return `${CLIENTS[code] ?? code} ${version.join('.')}`;
  }
  // aria2 writes A2-1-37-0- and so on, with decimal numbers between dashes.
  const aria2 = /^A2-(\d+)-(\d+)-(\d+)/.exec(text);
  if (aria2 !== null) return `aria2 ${aria2.slice(1).join('.')}`;
  const mainline = /^M(\d+)-(\d+)-(\d+)-/.exec(text);
  if (mainline !== null) return `Mainline ${mainline.slice(1).join('.')}`;
  const shadow = /^([AMQRST])([0-9A-Za-z])([0-9A-Za-z])([0-9A-Za-z-])[0-9A-Za-z-]?-/.exec(text);
  if (shadow !== null) {
    const version = shadow.slice(2).filter((digit) => digit !== '-');
    return `${SHADOW_CLIENTS[shadow[1]!]!} ${version.map((digit) => Number.parseInt(digit, 36)).join('.')}`;
  }
  const printable = text.replace(/[^!-~]/g, '').slice(0, 8);
  return printable === '' ? 'unknown' : `unknown (${printable})`;
}
