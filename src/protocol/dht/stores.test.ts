import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeCrypto, nodeEd25519 } from '../../io/crypto.ts';
import { Rng } from '../../lib/rng.ts';
import { encode } from '../bencode/index.ts';
import {
  MAX_INFO_HASHES,
  MAX_ITEMS_PER_HOST,
  MAX_PEERS_PER_HOST,
  MAX_STORED_PEERS_PER_HOST,
  PEER_MS,
} from './constants.ts';
import { targetOf } from './item.ts';
import { ItemStore } from './item-store.ts';
import { PeerStore } from './peer-store.ts';

const HASH = new Uint8Array(20);

test('whoever has stored too much cannot take away what others stored by putting it again', () => {
  const store = new ItemStore(nodeCrypto, nodeEd25519);
  const item = { value: encode('theirs') };
  const target = targetOf(nodeCrypto, item);
  assert.equal(store.put(0, '50.0.0.1', item, undefined), undefined);
  for (let i = 0; i < MAX_ITEMS_PER_HOST; i += 1) {
    assert.equal(store.put(0, '50.0.0.2', { value: encode(i) }, undefined), undefined);
  }
  assert.notEqual(store.put(0, '50.0.0.2', { value: encode('more') }, undefined), undefined);
  assert.equal(store.put(0, '50.0.0.2', item, undefined), undefined, 'kept alive by anybody');
  assert.deepEqual(store.get(0, target), item);
  // It still counts for who stored it first.
  for (let i = 1; i < MAX_ITEMS_PER_HOST; i += 1) {
    assert.equal(store.put(0, '50.0.0.1', { value: encode(`${i}`) }, undefined), undefined);
  }
  assert.notEqual(store.put(0, '50.0.0.1', { value: encode('more') }, undefined), undefined);
});

test('a peer that is announced again makes no other of its host go', () => {
  const store = new PeerStore(new Rng(1));
  for (let port = 1; port <= MAX_PEERS_PER_HOST; port += 1) {
    store.add(0, HASH, { host: '50.0.0.1', port });
  }
  store.add(0, HASH, { host: '50.0.0.1', port: MAX_PEERS_PER_HOST });
  assert.equal(store.peers(0, HASH).length, MAX_PEERS_PER_HOST);
  store.add(0, HASH, { host: '50.0.0.1', port: 1_000 });
  assert.equal(store.peers(0, HASH).length, MAX_PEERS_PER_HOST);
});

test('one host cannot push out the peers of others; what is over no longer counts', () => {
  const store = new PeerStore(new Rng(1));
  const hashOf = (i: number) => new Uint8Array(20).fill(i & 255).fill(i >> 8, 10);
  store.add(0, hashOf(0), { host: '50.0.0.1', port: 1 });
  let taken = 0;
  for (let i = 1; i <= MAX_INFO_HASHES; i += 1) {
    taken += Number(store.add(0, hashOf(i), { host: '50.0.0.2', port: 1 }));
  }
  assert.equal(taken, MAX_STORED_PEERS_PER_HOST);
  assert.equal(store.peers(0, hashOf(0)).length, 1);
  assert(store.add(0, hashOf(1), { host: '50.0.0.2', port: 1 }), 'what it has it may renew');
  assert(!store.add(0, hashOf(9_000), { host: '50.0.0.2', port: 1 }));
  assert(store.add(PEER_MS, hashOf(9_000), { host: '50.0.0.2', port: 1 }));
  assert.deepEqual([store.size, store.hosts], [1, 1]);
  for (let i = 0; i <= MAX_INFO_HASHES; i += 1) {
    assert(
      store.add(PEER_MS, hashOf(i), { host: '10.0.0.1', port: 1 }),
      'local ones have no bound',
    );
  }
  assert.deepEqual([store.size, store.hosts], [MAX_INFO_HASHES, 1]);
});
