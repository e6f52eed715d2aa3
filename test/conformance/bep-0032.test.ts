/**
 * BEP 32, IPv6.
 * @module
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DhtDesk, idOf } from '../support/dht-desk.ts';

const SIX = { host: '2001:db8::5', port: 4_000 };

function both(): { readonly four: DhtDesk; readonly six: DhtDesk } {
  const four = new DhtDesk();
  const six = new DhtDesk({ family: 6 });
  four.dht.join(six.dht);
  four.meet({ host: '60.1.0.1', port: 1_000 }, idOf('4'));
  six.meet({ host: '2600::1', port: 1_001 }, idOf('6'));
  return { four, six };
}

it('"nodes6": nodes of 38 bytes, and an answer over IPv6 has them where nothing is wanted', () => {
  const { six } = both();
  const answer = six.ask('find_node', { target: idOf('t') }, SIX)!.dict('r')!;
  assert.equal(answer.bytes('nodes6')?.length, 38);
  assert.equal(answer.has('nodes'), false);
});

it('"want": a list of strings, n4 and n6: both families are told when both are wanted', () => {
  const { four } = both();
  const lengths = (want: string[]): (number | undefined)[] => {
    const answer = four.ask('find_node', { target: idOf('t'), want })!.dict('r')!;
    return [answer.bytes('nodes')?.length, answer.bytes('nodes6')?.length];
  };
  assert.deepEqual(lengths(['n4', 'n6']), [26, 38]);
  assert.deepEqual(lengths(['n6']), [undefined, 38]);
  assert.deepEqual(lengths(['n4']), [26, undefined]);
});

it('"values" of IPv6 peers have 18 bytes', () => {
  const desk = new DhtDesk({ family: 6 });
  const token = desk
    .ask('get_peers', { info_hash: idOf('h') }, SIX)!
    .dict('r')!
    .bytes('token')!
    .slice();
  desk.ask('announce_peer', { info_hash: idOf('h'), port: 6_881, token }, SIX);
  const values = desk
    .ask('get_peers', { info_hash: idOf('h') }, SIX)!
    .dict('r')!
    .list('values');
  assert.deepEqual(
    values?.map((value) => (value as Uint8Array).length),
    [18],
  );
});

it('a node of both families wants both, and hands nodes of the other over', () => {
  const { four } = both();
  four.wait(1);
  four.dht.findNodes(four.nowMs, idOf('t'));
  const [query] = four.sent().filter(({ message }) => message.text('q') === 'find_node');
  assert.deepEqual(query?.message.dict('a')?.latin1List('want'), ['n4', 'n6']);
  const nodes6 = Buffer.concat([
    idOf('z'),
    Buffer.from('26000000000000000000000000000009', 'hex'),
    Buffer.of(1, 2),
  ]);
  four.answer(query!, { id: idOf('4'), nodes6 });
  const event = four.events.find(({ type }) => type === 'foreign-nodes');
  assert(event?.type === 'foreign-nodes');
  assert.deepEqual(
    event.nodes.map(({ host, port }) => [host, port]),
    [['2600::9', 258]],
  );
});

it('of the nodes that one of the other family names few are asked, and none is asked again', () => {
  const six = new DhtDesk({ family: 6 });
  const named = Array.from({ length: 8 }, (_, i) => ({ host: `2600::${i + 1}`, port: 1_000 }));
  six.dht.introduce(six.nowMs, named);
  const asked = six.sent().map(({ to, message }) => [to.host, message.text('q')]);
  assert.deepEqual(asked, [
    ['2600::1', 'ping'],
    ['2600::2', 'ping'],
  ]);
  six.wait(600_000);
  assert.deepEqual(six.sent(), []);
});
