/**
 * Address records of the DHT: whatever is read must be written as the same bytes again.
 */
import { equalBytes, fromHex } from '../../src/lib/bytes.ts';
import {
  decodeAddressRecord,
  encodeAddressRecord,
  MAX_PEER_ADDRESSES,
  MAX_RELAYS,
  peerIdOf,
} from '../../src/protocol/identity/index.ts';

const KEY = fromHex('1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e')!;

function fuzz(bytes: Uint8Array): void {
  const record = decodeAddressRecord(bytes);
  if (!record.ok) return;
  const { addresses, relays } = record.value;
  if (addresses.length > MAX_PEER_ADDRESSES || relays.length > MAX_RELAYS) {
    throw new Error('expected what its bounds allow');
  }
  if (!equalBytes(encodeAddressRecord(record.value), bytes)) {
    throw new Error('expected one form of a record');
  }
}

const address = { host: '192.0.2.7', port: 6881 };
const plain = {
  timeMs: 1_800_000_000_000,
  addresses: [],
  relays: [],
  isRelay: false,
  isHidden: false,
};

/** The target. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'address-record',
  seeds: [
    encodeAddressRecord(plain),
    encodeAddressRecord({ ...plain, addresses: [address], isHidden: true }),
    encodeAddressRecord({
      ...plain,
      addresses: [address, { host: '2001:db8::7', port: 1 }],
      relays: [{ peerId: peerIdOf(KEY), address }],
      isRelay: true,
    }),
  ],
  run: fuzz,
};
