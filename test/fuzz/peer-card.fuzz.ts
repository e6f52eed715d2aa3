/**
 * Cards of peers: whatever is read can be written, and means the same when it is read again; names as people type them, too.
 */
import { fromHex, fromLatin1 } from '../../src/lib/bytes.ts';
import { decodeUtf8 } from '../../src/lib/utf8.ts';
import {
  formatPeerCard,
  formatPeerId,
  MAX_NAME_CHARACTERS,
  MAX_PEER_ADDRESSES,
  MAX_RELAYS,
  parsePeerCard,
  parsePeerName,
  peerIdOf,
} from '../../src/protocol/identity/index.ts';

const ID = formatPeerId(
  peerIdOf(fromHex('1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e')!),
);

function fuzz(bytes: Uint8Array): void {
  const text = decodeUtf8(bytes);
  const name = parsePeerName(text);
  if (name.ok && ([...name.value].length > MAX_NAME_CHARACTERS || /[\p{C}\n]/u.test(name.value))) {
    throw new Error('expected a printable name within its bound');
  }
  const card = parsePeerCard(text);
  if (!card.ok) return;
  const { addresses, relays } = card.value;
  if (addresses.length > MAX_PEER_ADDRESSES || relays.length > MAX_RELAYS) {
    throw new Error('expected what its bounds allow');
  }
  const written = formatPeerCard(card.value);
  const again = parsePeerCard(written);
  if (!again.ok || formatPeerCard(again.value) !== written) {
    throw new Error('expected the same card again');
  }
}

/** The target. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'peer-card',
  seeds: [
    `starling://peer/${ID}`,
    `starling://peer/${ID}?a=192.0.2.7:6881&a=[2001:db8::7]:1&n=Bob%20B`,
    `starling://peer/${ID}?r=${ID}@198.51.100.2:6881&n=Zo%C3%AB&x=1`,
    'Bob B',
  ].map(fromLatin1),
  run: fuzz,
};
