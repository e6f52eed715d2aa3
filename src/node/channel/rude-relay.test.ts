/**
 * Relays that tamper or cut: what they pass on is sealed, so all they can do is to end it.
 * @module
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { poll, TestBed } from '../../../test/support/cli-child.ts';
import { openParty, type Party } from '../../../test/support/parties.ts';
import { openRudeRelay, type Spoil } from '../../../test/support/rude-relay.ts';
import type { RelayHint } from './channel-service.ts';

/** Of a handshake: less than any reaches, and more than any has. */
const [IN_HANDSHAKE, BEHIND_HANDSHAKE] = [300, 20_000];

/** Changes one bit at a place of the stream. */
function flip(place: number): Spoil {
  return (bytes, at) => {
    if (place >= at && place < at + bytes.length) bytes[place - at]! ^= 1;
    return bytes;
  };
}

/** A peer that an honest way leads to the relay, and that answers with so many bytes. */
async function reachable(bed: TestBed, relay: RelayHint): Promise<Party & { asked: number }> {
  const party = Object.assign(await openParty(bed), { asked: 0 });
  party.channels.handle('large', {
    admits: () => true,
    onRequest: () => {
      party.asked += 1;
      return randomBytes(60_000);
    },
  });
  party.node.relays!.use(relay);
  await poll('reservation', () => party.node.relays!.reserved.length > 0 || undefined);
  return party;
}

describe('a relay', () => {
  for (const [what, spoil] of [
    ['changes a bit of the handshake', flip(IN_HANDSHAKE)],
    [
      'cuts the handshake',
      (bytes: Buffer, at: number) => (at + bytes.length > IN_HANDSHAKE ? 'cut' : bytes),
    ],
  ] as const) {
    it(`that ${what}: no channel, and it is told`, async () => {
      await using bed = new TestBed();
      const { hint, honest } = await openRudeRelay(bed, spoil);
      const b = await reachable(bed, honest);
      const a = await openParty(bed, { isKnown: () => true });
      const hints = { addresses: [], relays: [hint] };
      await assert.rejects(a.channels.channelTo(b.peerId, { hints }), {
        code: 'ERR_PEER_UNREACHABLE',
      });
      assert.equal(b.channels.channel(a.peerId), undefined);
    });
  }

  for (const [what, spoil] of [
    ['changes a bit', flip(BEHIND_HANDSHAKE)],
    ['cuts', (bytes: Buffer, at: number) => (at + bytes.length > BEHIND_HANDSHAKE ? 'cut' : bytes)],
  ] as const) {
    it(`that ${what} behind the handshake: the answer is not taken, the channel ends`, async () => {
      await using bed = new TestBed();
      const { hint, honest } = await openRudeRelay(bed, spoil);
      const b = await reachable(bed, honest);
      const a = await openParty(bed);
      const hints = { addresses: [], relays: [hint] };
      const channel = await a.channels.channelTo(b.peerId, { hints });
      assert.equal(channel.path.kind, 'relay');
      await assert.rejects(channel.request('large', new Uint8Array()), { code: 'ERR_CHANNEL' });
      assert.equal(b.asked, 1);
      assert.equal(channel.isClosed, true);
    });
  }
});
