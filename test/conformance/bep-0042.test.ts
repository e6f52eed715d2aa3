/**
 * BEP 42, node ids bound to addresses: its vectors, and what is enforced.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromHex, toHex } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { isAllowedId, makeNodeId } from '../../src/protocol/dht/index.ts';
import { DhtDesk, idOf } from '../support/dht-desk.ts';

const VECTORS = [
  ['124.31.75.21', '5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401'],
  ['21.75.31.124', '5a3ce9c14e7a08645677bbd1cfe7d8f956d53256'],
  ['65.23.51.170', 'a5d43220bc8f112a3d426c84764f8c2a1150e616'],
  ['84.124.73.14', '1b0321dd1bb1fe518101ceef99462b947a01ff41'],
  ['43.213.53.83', 'e56f6cbf5b7c4be0237986d5243b87aa6d51305a'],
] as const;

describe('BEP 42', () => {
  for (const [ip, id] of VECTORS) {
    it(`vector: ${id} is allowed at ${ip}, and at no other address of the vectors`, () => {
      for (const [other] of VECTORS) assert.equal(isAllowedId(fromHex(id)!, other), other === ip);
    });
  }

  it('"The first (most significant) 21 bits of the node ID … MUST match": the 21st does, the 22nd is free', () => {
    const [ip, hex] = VECTORS[0];
    for (let bit = 0; bit < 24; bit += 1) {
      const id = fromHex(hex)!.slice();
      id[bit >> 3]! ^= 0x80 >> (bit & 7);
      assert.equal(isAllowedId(id, ip), bit >= 21, `bit ${bit}`);
    }
  });

  it('ids that are made are allowed, IPv4 and IPv6, and differ', () => {
    const rng = new Rng(1);
    for (const ip of ['93.184.216.34', '2606:2800:220:1:248:1893:25c8:1946']) {
      const ids = Array.from({ length: 50 }, () => makeNodeId(ip, rng));
      assert(ids.every((id) => isAllowedId(id, ip)));
      assert.equal(new Set(ids.map(toHex)).size, 50);
    }
  });

  it('"Any peer on a local network address is exempt from this node ID verification"', () => {
    const local = ['10.1.2.3', '172.16.5.5', '192.168.1.1', '169.254.3.3', '127.0.0.1'];
    for (const ip of local) assert(isAllowedId(idOf('x'), ip), ip);
    assert(!isAllowedId(idOf('x'), '93.184.216.34'));
  });

  it('"all DHT responses SHOULD include a top-level field called ip, containing a compact binary representation of the requestor\'s IP and port"', () => {
    const answer = new DhtDesk().ask('ping', {}, { host: '9.8.7.6', port: 258 });
    assert.deepEqual(answer?.bytes('ip'), Uint8Array.of(9, 8, 7, 6, 1, 2));
  });

  it('"a single node can not be trusted": the id changes when four hosts agree, and not before', () => {
    const desk = new DhtDesk();
    const before = desk.dht.id;
    const ip = Uint8Array.of(93, 184, 216, 34, 1, 2);
    for (let i = 1; i <= 4; i += 1) {
      assert.equal(toHex(desk.dht.id), toHex(before), `after ${i - 1}`);
      desk.meet({ host: `70.${i}.0.1`, port: 1_000 }, idOf(String(i)), { ip });
    }
    assert(isAllowedId(desk.dht.id, '93.184.216.34'));
    assert.equal(desk.dht.status(desk.nowMs).table.good, 4, 'the nodes stay known');
  });

  it('"Requests from peers whose node ID does not match their external IP should always be serviced"', () => {
    assert.equal(new DhtDesk().ask('ping', {}, { host: '93.184.216.34', port: 5 })?.text('y'), 'r');
  });

  it('"Non-compliant nodes also must not be considered … when checking the termination condition", and nothing is stored there', () => {
    const desk = new DhtDesk();
    const host = '93.184.216.34';
    desk.meet({ host, port: 1_000 }, idOf('n'));
    const good = makeNodeId('93.184.217.35', new Rng(3));
    desk.meet({ host: '93.184.217.35', port: 1_000 }, good);
    desk.dht.getPeers(desk.nowMs, idOf('h'), 6_881);
    const asked = desk.sent().filter(({ message }) => message.text('q') === 'get_peers');
    assert.equal(asked.length, 2);
    const stores = asked.flatMap((sent) => {
      const id = sent.to.host === host ? idOf('n') : good;
      return desk.answer(sent, { id, token: 'tt', nodes: '' });
    });
    const announced = stores.filter(({ message }) => message.text('q') === 'announce_peer');
    assert.deepEqual(
      announced.map(({ to }) => to.host),
      ['93.184.217.35'],
    );
  });
});
