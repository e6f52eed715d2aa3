/**
 * Relays that pass nothing on. Apart from the unit tests, since what ends the waiting is time.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { needing, poll, TestBed } from '../support/cli-child.ts';
import { openParty, type Party } from '../support/parties.ts';
import { openRudeRelay } from '../support/rude-relay.ts';

const options = { ...needing(), timeout: 120_000 };
/** Says that the other end is there, and nothing more. */
const hang = (bytes: Buffer, at: number): Buffer | undefined =>
  at === 0 ? bytes.subarray(0, 1) : undefined;

async function reserved({ node }: Party, count: number): Promise<void> {
  await poll('reservation', () => node.relays!.reserved.length === count || undefined);
}

it(
  'a relay that stalls in the handshake is given up, and the next one is tried',
  options,
  async () => {
    await using bed = new TestBed();
    const rude = await openRudeRelay(bed, hang);
    const other = await openRudeRelay(bed, (bytes) => bytes);
    const [a, b] = [await openParty(bed), await openParty(bed)];
    b.channels.handle('echo', { admits: () => true, onRequest: (_, { payload }) => payload });
    for (const { honest } of [rude, other]) b.node.relays!.use(honest);
    await reserved(b, 2);
    const hints = { addresses: [], relays: [rude.hint, other.hint] };
    const channel = await a.channels.channelTo(b.peerId, { hints });
    assert.equal(channel.path.relay, other.hint.peerId);
    await channel.request('echo', new Uint8Array(5));
  },
);

it('when the only relay stalls, it is told that there is no way', options, async () => {
  await using bed = new TestBed();
  const rude = await openRudeRelay(bed, hang);
  const [a, b] = [await openParty(bed), await openParty(bed)];
  b.node.relays!.use(rude.honest);
  await reserved(b, 1);
  const hints = { addresses: [], relays: [rude.hint] };
  await assert.rejects(a.channels.channelTo(b.peerId, { hints }), { code: 'ERR_PEER_UNREACHABLE' });
});
