/**
 * BEP 43, read-only nodes.
 * @module
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ASKER, DhtDesk } from '../support/dht-desk.ts';

it('"a node should set the top-level key ro to 1 in its queries when it is read-only", and only then', () => {
  for (const isReadOnly of [true, false]) {
    const desk = new DhtDesk({ isReadOnly });
    desk.dht.addPeerNode(desk.nowMs, ASKER);
    assert.equal(desk.sent()[0]?.message.int('ro'), isReadOnly ? 1 : undefined);
  }
});

it('a read-only node answers no queries', () => {
  const desk = new DhtDesk({ isReadOnly: true });
  assert.equal(desk.ask('ping', {}), undefined);
  desk.dht.setReadOnly(false);
  assert.equal(desk.ask('ping', {})?.text('y'), 'r');
});

it('"a node that receives a message with ro set … should not add the sender to its routing table", nor ask it', () => {
  const desk = new DhtDesk();
  assert.equal(desk.ask('ping', {}, ASKER, { ro: 1 })?.text('y'), 'r');
  assert.deepEqual(desk.wait(10_000), []);
  assert.equal(desk.dht.status(desk.nowMs).table.good, 0);
});
