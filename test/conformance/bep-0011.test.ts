/** BEP 11, peer exchange: each title quotes the sentence it checks. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Bitfield } from '../../src/lib/bitfield.ts';
import { fromLatin1, toLatin1 } from '../../src/lib/bytes.ts';
import {
  decodePex,
  encodePex,
  PEX_FLAG,
  type PexMessage,
} from '../../src/protocol/peer-wire/index.ts';
import type { PeerAddress } from '../../src/protocol/swarm/index.ts';
import { rigTorrent, SwarmRig } from '../support/swarm-rig.ts';

/** Addresses of a /16, each in a /24 of its own. */
function address(index: number, port = 6881): PeerAddress {
  return { host: `50.${index >> 8}.${index & 255}.9`, port };
}

function v6(index: number): PeerAddress {
  return { host: `2001:db8:${index + 1}::9`, port: 6881 };
}

function textOf({ host, port }: PeerAddress): string {
  return `${host}:${port}`;
}

function addedOf(messages: readonly PexMessage[]): string[] {
  return messages.flatMap(({ added }) => added.map(textOf)).sort();
}

function droppedOf(messages: readonly PexMessage[]): string[] {
  return messages.flatMap(({ dropped }) => dropped.map(textOf)).sort();
}

const full = (pieceCount = 4): Bitfield => {
  const have = new Bitfield(pieceCount);
  have.fill();
  return have;
};

/** A minute, with what is added so that no clock thinks that we are early. */
const MINUTE_MS = 62_000;
const listener = { host: '51.99.0.1', port: 4_000 };

describe('BEP 11, the message', () => {
  it('"added: <one or more contacts in IPv4 compact format (string)>"', () => {
    const added = [{ host: '1.2.3.4', port: 258, flags: 0x12 }];
    assert.equal(
      toLatin1(encodePex({ added, dropped: [] })),
      'd5:added6:\x01\x02\x03\x04\x01\x027:added.f1:\x12e',
    );
  });

  it('"added6: <one or more contacts IPv6 compact format (string)>"', () => {
    const added = [{ host: '2001:db8::1', port: 258, flags: 2 }];
    const ip = ' \x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x01';
    const text = `d6:added618:${ip}\x01\x028:added6.f1:\x02e`;
    assert.equal(toLatin1(encodePex({ added, dropped: [] })), text);
    const decoded = decodePex(fromLatin1(text));
    assert.deepEqual(decoded, { ok: true, value: { added, dropped: [] } });
  });

  it('"added.f: <optional, bit-flags, 1 byte per added IPv4 peer (string)>"', () => {
    const decoded = decodePex(fromLatin1('d5:added6:\x01\x02\x03\x04\x01\x02e'));
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value.added, [{ host: '1.2.3.4', port: 258, flags: 0 }]);
    assert.equal(
      decodePex(fromLatin1('d5:added6:\x01\x02\x03\x04\x01\x027:added.f2:aae')).ok,
      false,
    );
  });

  it('"dropped6: <one or more contacts in IPv6 compact format (string)>"', () => {
    const dropped = [
      { host: '1.2.3.4', port: 1 },
      { host: '2001:db8::1', port: 2 },
    ];
    const decoded = decodePex(encodePex({ added: [], dropped }));
    assert.deepEqual(decoded, { ok: true, value: { added: [], dropped } });
  });

  it('"Messages must contain at least one of the following fields: added, added6, dropped, dropped6."', () => {
    assert.throws(() => encodePex({ added: [], dropped: [] }), { code: 'ERR_PEER_WIRE_ARGUMENT' });
    // From aria2 they come without.
    for (const text of ['de', 'd5:added0:e', 'd8:dropped60:e']) {
      assert.deepEqual(decodePex(fromLatin1(text)), {
        ok: true,
        value: { added: [], dropped: [] },
      });
    }
  });
});

describe('BEP 11, what is told', () => {
  it('"PEX introduces a new message ut_pex via the extension protocol"', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: address(1) });
    assert.equal(rig.handshakes(id)[0]!.extensions.get('ut_pex'), rig.exchangeId());
  });

  it('"A peer must only be included in an added field once a connection is successfully established"', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: listener });
    rig.swarm.addPeers(0, [address(1), address(2)], 'tracker');
    rig.drain();
    rig.connectDialled(address(1));
    rig.wait(2 * MINUTE_MS);
    assert.deepEqual(addedOf(rig.told(id)), [textOf(address(1))]);
  });

  it('"and included in the dropped field once it is disconnected."', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: listener });
    const other = rig.connectOut(address(1));
    rig.wait(3_000);
    assert.deepEqual(addedOf(rig.told(id)), [textOf(address(1))]);
    rig.close(other);
    rig.wait(MINUTE_MS);
    assert.deepEqual(droppedOf(rig.told(id)), [textOf(address(1))]);
  });

  it('a peer is told at the port that it listens on, never at the one that it happened to dial from', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: listener });
    rig.connect({ address: address(1, 50_000), handshake: { port: 6_999 } });
    rig.connect({ address: address(2, 50_001) });
    rig.connectOut(address(3));
    rig.wait(3_000);
    assert.deepEqual(addedOf(rig.told(id)), [textOf(address(1, 6_999)), textOf(address(3))]);
  });

  it('the flags: "0x02 seed/upload_only", "0x08 peer indicated ut_holepunch support in extension handshake", "0x10 outgoing connection, peer is reachable"', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: listener });
    const extensions = new Map([['ut_holepunch', 4]]);
    rig.connect({ address: address(1), handshake: { port: 1, uploadOnly: true } });
    rig.connect({ address: address(2), handshake: { port: 2, extensions } });
    rig.connectOut(address(3));
    const seed = rig.connect({ address: address(4), handshake: { port: 4 } });
    rig.receive(seed, (writer) => writer.haveAll());
    rig.wait(3_000);
    const flags = rig.told(id)[0]!.added.map((contact) => [contact.port, contact.flags]);
    assert.deepEqual(
      flags.sort(([a], [b]) => a! - b!),
      [
        [1, PEX_FLAG.uploadOnly],
        [2, PEX_FLAG.holepunch],
        [4, PEX_FLAG.uploadOnly],
        [6881, PEX_FLAG.reachable],
      ],
    );
  });

  it('"Clients must batch updates to send no more than 1 PEX message per minute."', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: listener });
    let count = 0;
    for (let minute = 0; minute < 5; minute += 1) {
      for (let i = 0; i < 10; i += 1) {
        rig.connectOut(address(10 * minute + i));
        rig.wait(6_000);
      }
      count += rig.told(id).length;
    }
    assert.ok(count >= 4 && count <= 5, `${count} messages in five minutes`);
  });

  it('"Added or removed contacts must not contain duplicates." "An added contact must not be dropped in the same message."', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: listener });
    for (let round = 0; round < 6; round += 1) {
      const first = rig.connectOut(address(round % 2));
      rig.wait(20_000);
      rig.close(first);
      rig.wait(20_000);
      rig.wait(MINUTE_MS);
      for (const { added, dropped } of rig.told(id)) {
        const names = [...added, ...dropped].map(textOf);
        assert.equal(new Set(names).size, names.length, names.join(' '));
      }
    }
  });

  it('"Except for the initial PEX message the combined amount of added v4/v6 contacts should not exceed 50 entries. The same applies to dropped entries."', () => {
    const rig = new SwarmRig({ maxPeers: 400 });
    const id = rig.connect({ address: listener });
    const others: number[] = [];
    const connect = (count: number): void => {
      for (let i = 0; i < count; i += 1) {
        const index = others.length;
        others.push(rig.connectOut(index % 2 === 0 ? address(index) : v6(index)));
      }
    };
    connect(1);
    rig.wait(3_000);
    assert.equal(rig.told(id).length, 1);
    connect(120);
    const sizes = (what: 'added' | 'dropped'): number[] => {
      const list: number[] = [];
      for (let minute = 0; minute < 4; minute += 1) {
        rig.wait(MINUTE_MS + 2_000);
        list.push(...rig.told(id).map((message) => message[what].length));
      }
      return list;
    };
    assert.deepEqual(sizes('added'), [50, 50, 20]);
    for (const other of others) rig.close(other);
    assert.deepEqual(sizes('dropped'), [50, 50, 21]);
  });

  it('"the same peer ID was already connected under a different address family"', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: listener });
    const peerId = new Uint8Array(20).fill(9);
    rig.connectOut(address(1), { peerId });
    rig.connectOut(v6(1), { peerId });
    rig.wait(3_000);
    assert.deepEqual(addedOf(rig.told(id)), [textOf(v6(1)), textOf(address(1))]);
    rig.wait(MINUTE_MS);
    assert.deepEqual(droppedOf(rig.told(id)), [textOf(v6(1))], 'it is not live, so it must go');
  });

  it('"permanent lack of mutual interest, e.g. inferred from (partial) seed status and piece availability"', () => {
    const rig = new SwarmRig({ have: full() });
    const seed = rig.connectOut(address(1));
    rig.receive(seed, (writer) => writer.haveAll());
    rig.wait(5_000);
    assert.equal(rig.closeReason(seed), 'both only upload');
    const id = rig.connect({ address: listener });
    rig.wait(3_000);
    assert.deepEqual(addedOf(rig.told(id)), [textOf(address(1))]);
    rig.wait(MINUTE_MS);
    assert.deepEqual(droppedOf(rig.told(id)), [textOf(address(1))]);
    for (let i = 2; i < 5; i += 1) {
      rig.connectOut(address(i));
      rig.wait(MINUTE_MS);
    }
    assert.deepEqual(
      addedOf(rig.told(id)),
      [2, 3, 4].map((i) => textOf(address(i))),
      '"so it will not be sent again in the next message"',
    );
  });

  it('a peer that left by itself is not told', () => {
    const rig = new SwarmRig({ have: full() });
    const other = rig.connectOut(address(1));
    rig.close(other);
    const id = rig.connect({ address: listener });
    rig.wait(3_000);
    assert.deepEqual(rig.told(id), []);
  });

  it('"the liveness requirement is relaxed if a client is connected to less than 25 clients for a particular address family"', () => {
    const rig = new SwarmRig({ have: full() });
    for (let i = 0; i < 40; i += 1) {
      const seed = rig.connectOut(i < 30 ? address(i) : v6(i));
      rig.receive(seed, (writer) => writer.haveAll());
    }
    rig.wait(5_000);
    const id = rig.connect({ address: listener });
    for (let i = 0; i < 24; i += 1) rig.connectOut(address(100 + i));
    rig.wait(3_000);
    const added = addedOf(rig.told(id));
    // 24 live ones, the last 25 of the 30 that left, the 10 of the other family.
    assert.equal(added.length, 24 + 25 + 10);
    assert.ok(!added.includes(textOf(address(4))) && added.includes(textOf(address(5))));
    rig.connectOut(address(200));
    const late = rig.connect({ address: { host: '51.99.1.1', port: 4_000 } });
    rig.wait(3_000);
    const toLate = addedOf(rig.told(late));
    assert.equal(toLate.filter((text) => text.startsWith('50.')).length, 25);
    assert.equal(toLate.filter((text) => text.startsWith('2001')).length, 10);
  });

  it('BEP 27: in a private torrent it is neither offered, nor sent, nor believed', () => {
    const rig = new SwarmRig({ info: rigTorrent(4, true) });
    const id = rig.connect({ address: listener });
    assert.equal(rig.handshakes(id)[0]!.extensions.has('ut_pex'), false);
    rig.connectOut(address(1));
    rig.wait(2 * MINUTE_MS);
    assert.deepEqual(rig.told(id), []);
    rig.hear(id, { added: [{ ...address(7), flags: 0 }], dropped: [] });
    rig.wait(MINUTE_MS);
    assert.ok(!rig.dialled().includes(textOf(address(7))));
    assert.equal(rig.closeReason(id), undefined);
  });
});
