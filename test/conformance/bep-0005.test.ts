/**
 * BEP 5, the DHT, sentence by sentence.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toLatin1 } from '../../src/lib/bytes.ts';
import type { Encodable } from '../../src/protocol/bencode/index.ts';
import { ASKER, DhtDesk, errorOf, idOf } from '../support/dht-desk.ts';

const HASH = idOf('h');
const OTHER = { host: '51.1.2.3', port: 5_000 };

function tokenOf(desk: DhtDesk, from = ASKER): Uint8Array {
  return desk.ask('get_peers', { info_hash: HASH }, from)!.dict('r')!.bytes('token')!.slice();
}

function announce(
  desk: DhtDesk,
  args: Record<string, Encodable>,
  from = ASKER,
): ReturnType<DhtDesk['ask']> {
  return desk.ask('announce_peer', { info_hash: HASH, port: 6_881, ...args }, from);
}

describe('BEP 5: KRPC', () => {
  it('"Every message has a key "t" … echoed in the response"', () => {
    const answer = new DhtDesk().ask('ping', {});
    assert.equal(answer?.text('t'), 'aa');
  });

  it('"All responses have an "id" key and value containing the node ID of the responding node"', () => {
    const desk = new DhtDesk();
    for (const [name, args] of [
      ['ping', {}],
      ['find_node', { target: HASH }],
      ['get_peers', { info_hash: HASH }],
    ] as const) {
      assert.deepEqual(desk.ask(name, args)?.dict('r')?.bytes('id'), desk.dht.id);
    }
  });

  it('the example ping is answered', () => {
    const desk = new DhtDesk();
    const ping = Buffer.from('d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe');
    const [answer] = desk.receive(ping).filter(({ message }) => message.text('y') === 'r');
    assert.deepEqual(answer?.to, ASKER);
  });

  it('a query from port 0, where nobody can be answered, is passed over', () => {
    const desk = new DhtDesk();
    const ping = Buffer.from('d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe');
    assert.deepEqual(desk.receive(ping, { host: ASKER.host, port: 0 }), []);
    assert.equal(desk.dht.status(desk.nowMs).totals.refused, 1);
  });

  it('"204: Method Unknown"', () => {
    assert.equal(errorOf(new DhtDesk().ask('dance', {}))[0], 204);
  });

  it('"203: Protocol Error, such as a malformed packet, invalid arguments, or bad token"', () => {
    const desk = new DhtDesk();
    assert.equal(errorOf(desk.ask('find_node', { target: 'short' }))[0], 203);
    assert.equal(errorOf(desk.ask('get_peers', {}))[0], 203);
    assert.equal(errorOf(announce(desk, { token: 'wrong' }))[0], 203);
    const token = tokenOf(desk);
    for (const port of [0, -1, 65_536])
      assert.equal(errorOf(announce(desk, { token, port }))[0], 203);
  });

  it('what cannot be read is not answered: it may come from anybody', () => {
    const desk = new DhtDesk();
    for (const text of ['', 'x', 'de', 'd1:t2:aa1:y1:qe', 'd1:y1:q1:q4:ping1:ad2:id3:abcee']) {
      assert.deepEqual(desk.receive(Buffer.from(text)), []);
    }
  });
});

describe('BEP 5: find_node', () => {
  it('"the compact node info for the target node or the K (8) closest good nodes in its own routing table"', () => {
    const desk = new DhtDesk();
    for (let i = 0; i < 12; i += 1) {
      const id = idOf('\0');
      id[0] = i * 16;
      desk.meet({ host: `60.${i}.0.1`, port: 1_000 + i }, id);
    }
    const target = idOf('\0');
    const nodes = desk.ask('find_node', { target })!.dict('r')!.bytes('nodes')!;
    assert.equal(nodes.length, 8 * 26);
    const firsts = Array.from({ length: 8 }, (_, i) => nodes[i * 26]!);
    assert.deepEqual(firsts, [0, 16, 32, 48, 64, 80, 96, 112]);
    assert.deepEqual([...nodes.subarray(20, 26)], [60, 0, 0, 1, 1_000 >> 8, 1_000 & 255]);
  });
});

describe('BEP 5: get_peers and announce_peer', () => {
  it('"If the queried node has peers for the infohash, they are returned in a key "values" as a list of strings"', () => {
    const desk = new DhtDesk();
    announce(desk, { token: tokenOf(desk) });
    const values = desk.ask('get_peers', { info_hash: HASH }, OTHER)!.dict('r')!.list('values');
    assert.deepEqual(values, [Uint8Array.of(50, 1, 2, 3, 6_881 >> 8, 6_881 & 255)]);
  });

  it('"In either case a "token" key is also included in the return value"', () => {
    const desk = new DhtDesk();
    assert(tokenOf(desk).length > 0);
    announce(desk, { token: tokenOf(desk) });
    assert(tokenOf(desk).length > 0);
  });

  it('"the queried node checks the token against the querying node\'s IP address"', () => {
    const desk = new DhtDesk();
    assert.equal(errorOf(announce(desk, { token: tokenOf(desk, OTHER) }))[0], 203);
    assert.equal(announce(desk, { token: tokenOf(desk, { ...ASKER, port: 9 }) })?.text('y'), 'r');
  });

  it('tokens and transactions come from the secret, not from the seed, which could be tried out', () => {
    const of = (fill: number): { token: Uint8Array; transaction: Uint8Array } => {
      const desk = new DhtDesk({ secret: new Uint8Array(32).fill(fill) });
      desk.dht.addPeerNode(desk.nowMs, OTHER);
      const transaction = desk.sent()[0]!.message.bytes('t')!;
      return { token: tokenOf(desk), transaction };
    };
    const [first, second] = [of(1), of(2)];
    assert.notDeepEqual(first.token, second.token);
    assert.notDeepEqual(first.transaction, second.transaction);
    assert.deepEqual(of(1), first);
  });

  it('"a secret that changes every five minutes and tokens up to ten minutes old are accepted"', () => {
    const desk = new DhtDesk();
    const token = tokenOf(desk);
    desk.wait(299_000);
    assert.equal(announce(desk, { token })?.text('y'), 'r');
    desk.wait(299_000);
    assert.equal(announce(desk, { token })?.text('y'), 'r');
    desk.wait(302_000);
    assert.equal(errorOf(announce(desk, { token }))[0], 203);
  });

  it('"If it is present and non-zero, the port argument should be ignored and the source port of the UDP packet should be used"', () => {
    const desk = new DhtDesk();
    announce(desk, { token: tokenOf(desk), implied_port: 1 });
    const [peer] =
      desk.ask('get_peers', { info_hash: HASH }, OTHER)!.dict('r')!.list('values') ?? [];
    assert.deepEqual(peer, Uint8Array.of(50, 1, 2, 3, 4_000 >> 8, 4_000 & 255));
  });
});

describe('BEP 5: the routing table', () => {
  it('a node enters only when it answered', () => {
    const desk = new DhtDesk();
    const query = Buffer.from('d1:ad2:id20:qqqqqqqqqqqqqqqqqqqqe1:q4:ping1:t2:aa1:y1:qe');
    const ping = desk.receive(query).find(({ message }) => message.text('q') === 'ping');
    assert.equal(desk.dht.status(desk.nowMs).table.good, 0);
    desk.answer(ping!, { id: idOf('q') });
    assert.equal(desk.dht.status(desk.nowMs).table.good, 1);
  });

  it('"Peers that receive this message should attempt to ping the node on the received port"', () => {
    const desk = new DhtDesk();
    desk.dht.addPeerNode(desk.nowMs, OTHER);
    const [ping] = desk.sent();
    assert.equal(ping?.message.text('q'), 'ping');
    assert.deepEqual(ping.to, OTHER);
  });

  it('"After 15 minutes of inactivity, a node becomes questionable"', () => {
    const desk = new DhtDesk();
    desk.meet(OTHER, idOf('o'));
    desk.nowMs += 899_000;
    assert.equal(desk.dht.status(desk.nowMs).table.good, 1);
    desk.nowMs += 1_001;
    assert.equal(desk.dht.status(desk.nowMs).table.questionable, 1);
  });

  it('"A node is also good if it has ever responded … and has sent us a query within the last 15 minutes"', () => {
    const desk = new DhtDesk();
    desk.meet(ASKER, idOf('q'));
    desk.nowMs += 890_000;
    desk.ask('ping', {});
    desk.nowMs += 890_000;
    assert.equal(desk.dht.status(desk.nowMs).table.good, 1);
  });

  it('"When the bucket is full of good nodes, the new node is simply discarded", at least for now', () => {
    const desk = new DhtDesk({ id: idOf('\0') });
    for (let i = 0; i < 10; i += 1) {
      const id = new Uint8Array(20).fill(0xff);
      id[19] = i;
      desk.meet({ host: `61.${i}.0.1`, port: 7_000 }, id);
    }
    const { good, waiting } = desk.dht.status(desk.nowMs).table;
    assert.deepEqual([good, waiting], [8, 2]);
  });

  it('"Upon inserting the first node … the node should attempt to find the closest nodes in the DHT to itself"', () => {
    const desk = new DhtDesk();
    desk.meet(OTHER, idOf('o'));
    const asked = desk.wait(1);
    const searches = asked.filter(({ message }) => message.text('q') === 'find_node');
    assert.equal(toLatin1(searches[0]!.message.dict('a')!.bytes('target')!), toLatin1(desk.dht.id));
  });

  it('"Nodes become bad when they fail to respond to multiple queries in a row": those that say nothing are asked', () => {
    const desk = new DhtDesk();
    desk.meet(OTHER, idOf('o'));
    desk.meet(ASKER, idOf('q'));
    const visited = new Set<string>();
    for (let second = 0; second < 720; second += 1) {
      for (const sent of desk.wait(1_000)) {
        if (sent.to.host !== OTHER.host || sent.message.text('q') !== 'find_node') continue;
        if (second > 300) visited.add(sent.to.host);
        desk.answer(sent, { id: idOf('o'), nodes: '' });
      }
    }
    assert(visited.has(OTHER.host), 'a node that is good was never asked again');
    const known = desk.dht.savedNodes().map(({ host }) => host);
    assert.deepEqual(known, [OTHER.host]);
  });

  it('an answer counts only from where its question went', () => {
    const desk = new DhtDesk();
    desk.dht.addPeerNode(desk.nowMs, OTHER);
    const [ping] = desk.sent();
    desk.answer({ ...ping!, to: ASKER }, { id: idOf('o') });
    assert.equal(desk.dht.status(desk.nowMs).table.good, 0);
    desk.answer(ping!, { id: idOf('o') });
    assert.equal(desk.dht.status(desk.nowMs).table.good, 1);
  });
});
