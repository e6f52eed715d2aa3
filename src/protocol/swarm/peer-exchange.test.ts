/**
 * What peers tell of others, as the core takes it: believed, refused, punished, forgotten.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { rigTorrent, SwarmRig } from '../../../test/support/swarm-rig.ts';
import type { PexContact } from '../peer-wire/index.ts';
import type { PeerAddress } from './types.ts';

const SPEAKER = { host: '198.51.100.7', port: 4_000 };
const MINUTE_MS = 62_000;

function contact(index: number, port = 6881): PexContact {
  return { host: `50.${index >> 8}.${index & 255}.1`, port, flags: 0 };
}

function textOf({ host, port }: PeerAddress): string {
  return `${host}:${port}`;
}

function add(...added: PexContact[]): { added: PexContact[]; dropped: [] } {
  return { added, dropped: [] };
}

describe('what is told to us', () => {
  it('addresses that a peer names are dialled', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: SPEAKER });
    rig.hear(id, add(contact(1), { host: '2001:db8::5', port: 7, flags: 0 }));
    assert.deepEqual(rig.dialled().sort(), ['2001:db8::5:7', textOf(contact(1))]);
  });

  it('nothing a peer on the Internet says makes us dial this machine or the network around it', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: SPEAKER });
    const near = ['127.0.0.1', '10.0.0.1', '192.168.1.1', '169.254.1.1', '224.0.0.1', '0.0.0.0'];
    near.push('::1', 'fe80::1', 'fd00::1', 'ff02::1', '::ffff:127.0.0.1', '2002:7f00:1::1');
    rig.hear(id, add(...near.map((host) => ({ host, port: 80, flags: 0 })), contact(1, 0)));
    assert.deepEqual(rig.dialled(), []);
    assert.equal(rig.closeReason(id), undefined, 'others may name their neighbours without malice');
  });

  it('a neighbour may name neighbours', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: { host: '192.168.1.7', port: 4_000 } });
    rig.hear(
      id,
      add({ host: '192.168.1.8', port: 1, flags: 0 }, { host: '127.0.0.1', port: 2, flags: 0 }),
    );
    assert.deepEqual(rig.dialled(), ['192.168.1.8:1']);
  });

  it('of a message fifty are taken, of an address one port', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: SPEAKER });
    rig.hear(id, add(...Array.from({ length: 80 }, (_, i) => contact(i))));
    assert.equal(rig.swarm.knownAddressCount, 50);
    rig.hear(id, add(contact(500, 1), contact(500, 2), contact(500, 3)));
    assert.equal(rig.swarm.knownAddressCount, 51);
  });

  it('our own address is not dialled, once peers told us what it is', () => {
    const rig = new SwarmRig();
    const yourIp = Uint8Array.of(203, 0, 113, 5);
    const id = rig.connect({ address: SPEAKER, handshake: { yourIp } });
    rig.hear(
      id,
      add(
        { host: '203.0.113.5', port: 7_000, flags: 0 },
        { host: '203.0.113.5', port: 7_001, flags: 0 },
      ),
    );
    assert.deepEqual(
      rig.dialled(),
      ['203.0.113.5:7001'],
      'another port is a neighbour behind the same NAT',
    );
  });

  it('a message that cannot be read costs the peer', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: SPEAKER });
    rig.receive(id, (writer) => writer.extended(rig.exchangeId(), Uint8Array.of(1)));
    assert.match(rig.closeReason(id)!, /ut_pex: expected a bencoded dictionary/);
    assert.equal(rig.swarm.admits(rig.nowMs, SPEAKER), false, 'shunned for a while');
  });

  it('a few early messages are borne, many cost the peer; one a minute never does', () => {
    const rig = new SwarmRig();
    const fast = rig.connect({ address: SPEAKER });
    for (let i = 0; i < 3; i += 1) rig.hear(fast, add(contact(i)));
    assert.equal(rig.closeReason(fast), undefined);
    rig.hear(fast, add(contact(4)));
    assert.equal(rig.closeReason(fast), 'sent peer exchange more often than once a minute');
    const proper = rig.connect({ address: { host: '198.51.101.7', port: 4_000 } });
    for (let i = 0; i < 30; i += 1) {
      rig.hear(proper, add(contact(100 + i)));
      rig.wait(59_000);
    }
    assert.equal(rig.closeReason(proper), undefined);
  });

  it('with discovery off nothing is offered, told or believed', () => {
    const rig = new SwarmRig({ usesPeerExchange: false });
    const id = rig.connect({ address: SPEAKER });
    assert.equal(rig.handshakes(id)[0]!.extensions.has('ut_pex'), false);
    rig.connectOut(contact(7));
    rig.hear(id, add(contact(1)));
    rig.wait(2 * MINUTE_MS);
    assert.deepEqual(rig.told(id), []);
    assert.deepEqual(rig.dialled(), [textOf(contact(7))]);
  });
});

describe('a magnet that turns out to be private', () => {
  const magnet = (): SwarmRig => new SwarmRig({ isMagnet: true, info: rigTorrent(4, true) });

  it('takes its offer back, and forgets whom peers named', () => {
    const rig = magnet();
    const id = rig.connect({ address: SPEAKER });
    assert.equal(rig.handshakes(id)[0]!.extensions.get('ut_pex'), rig.exchangeId());
    rig.swarm.addPeers(0, [{ host: '60.0.0.1', port: 1 }], 'tracker');
    rig.hear(id, add(contact(1), contact(2), { host: '60.0.0.1', port: 1, flags: 0 }));
    const heard = rig.connectDialled(contact(1));
    rig.setTorrent();
    assert.equal(rig.handshakes(id)[0]!.extensions.get('ut_pex'), 0);
    assert.match(rig.closeReason(heard)!, /not known from a tracker/);
    // The dial under way comes to nothing.
    const late = rig.connectDialled(contact(2));
    assert.equal(rig.closeReason(late), 'its address was forgotten meanwhile');
    assert.equal(rig.swarm.knownAddressCount, 1, 'what the tracker told stays');
    rig.hear(id, add(contact(3)));
    assert.equal(rig.swarm.knownAddressCount, 1);
  });

  it('tells nobody of anybody while it does not know', () => {
    const rig = magnet();
    const id = rig.connect({ address: SPEAKER });
    rig.connectOut(contact(7));
    rig.wait(2 * MINUTE_MS);
    assert.deepEqual(rig.told(id), []);
  });

  it('tells as soon as it knows that it may', () => {
    const rig = new SwarmRig({ isMagnet: true });
    const id = rig.connect({ address: SPEAKER });
    rig.connectOut(contact(7));
    rig.wait(5_000);
    rig.setTorrent();
    rig.wait(5_000);
    assert.deepEqual(
      rig.told(id).map(({ added }) => added.map(textOf)),
      [[textOf(contact(7))]],
    );
  });
});

describe('what we tell', () => {
  it('a peer on the Internet is not told of this machine and its neighbours, a neighbour is', () => {
    const rig = new SwarmRig();
    const far = rig.connect({ address: SPEAKER });
    const near = rig.connect({ address: { host: '192.168.1.9', port: 4_000 } });
    const home = rig.connect({ address: { host: '127.0.0.1', port: 4_000 } });
    rig.connectOut({ host: '192.168.1.8', port: 1 });
    rig.connectOut({ host: '127.0.0.1', port: 2 });
    rig.connectOut(contact(3));
    rig.wait(4_000);
    const hosts = (id: number): string[] =>
      rig
        .told(id)
        .flatMap(({ added }) => added.map(({ host }) => host))
        .sort();
    assert.deepEqual(hosts(far), [contact(3).host]);
    assert.deepEqual(hosts(near), ['192.168.1.8', contact(3).host].sort());
    assert.deepEqual(hosts(home), ['127.0.0.1', contact(3).host].sort());
  });

  it('nobody is told of itself', () => {
    const rig = new SwarmRig();
    const out = rig.connectOut(contact(3));
    const incoming = rig.connect({
      address: { host: '50.9.9.1', port: 40_000 },
      handshake: { extensions: new Map([['ut_pex', 11]]), port: 5 },
    });
    rig.wait(4_000);
    assert.deepEqual(
      rig.told(out).map(({ added }) => added.map(textOf)),
      [['50.9.9.1:5']],
    );
    assert.deepEqual(
      rig.told(incoming).map(({ added }) => added.map(textOf)),
      [[textOf(contact(3))]],
    );
  });

  it('who does not offer it is told nothing, and who takes the offer back no more', () => {
    const rig = new SwarmRig();
    const id = rig.connect({ address: SPEAKER, handshake: { extensions: new Map() } });
    rig.connectOut(contact(1));
    rig.wait(4_000);
    assert.deepEqual(
      rig.said(id).filter((message) => message.type === 'extended' && message.id !== 0),
      [],
    );
  });
});

describe('whatever happens', () => {
  it('who reads every message knows who is connected, and nobody else but those that left for a reason of ours', () => {
    const step = fc.record({
      what: fc.constantFrom('connect', 'close', 'wait'),
      index: fc.nat(60),
      waitMs: fc.integer({ min: 1, max: 100_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const rig = new SwarmRig({ maxPeers: 200 });
        const id = rig.connect({ address: SPEAKER });
        const open = new Map<number, number>();
        const known = new Set<string>();
        let lastMs = Number.NEGATIVE_INFINITY;
        const read = (): void => {
          for (const { added, dropped } of rig.told(id)) {
            assert.ok(added.length + dropped.length > 0);
            assert.ok(dropped.length <= 50);
            for (const gone of dropped)
              assert.ok(known.delete(textOf(gone)), 'dropped what was told');
            for (const { host, port } of added) {
              assert.ok(!dropped.some((gone) => textOf(gone) === textOf({ host, port })));
              assert.ok(!known.has(textOf({ host, port })), 'added once');
              known.add(textOf({ host, port }));
            }
          }
        };
        for (const { what, index, waitMs } of steps) {
          if (what === 'connect' && !open.has(index)) {
            const handshake = { port: 6881 };
            open.set(index, rig.connect({ address: contact(index, 9_000), handshake }));
          } else if (what === 'close' && open.has(index)) {
            rig.close(open.get(index)!);
            open.delete(index);
          } else if (what === 'wait') {
            // In steps below a minute, so that no two messages come in one.
            for (let left = waitMs; left > 0; left -= 500) {
              rig.wait(500);
              const before = known.size;
              const said = rig.nowMs;
              read();
              if (known.size !== before) {
                assert.ok(said - lastMs >= 60_000, `after ${said - lastMs} ms`);
                lastMs = said;
              }
            }
          }
        }
        rig.wait(130_000);
        read();
        assert.deepEqual(
          [...known].sort(),
          [...open.keys()].map((index) => textOf(contact(index))).sort(),
        );
      }),
      { numRuns: 30 },
    );
  });
});
