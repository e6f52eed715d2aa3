import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DhtDesk } from '../../../test/support/dht-desk.ts';
import { ALL_QUERIES_PER_SEC, HOST_QUERIES_PER_SEC } from './constants.ts';
import { QueryGate } from './query-gate.ts';

/** How many of `count` pings in one moment are answered. */
function answered(host: string, count: number): number {
  const desk = new DhtDesk();
  let answers = 0;
  for (let i = 0; i < count; i += 1) {
    if (desk.ask('ping', {}, { host, port: 4_000 + i }) !== undefined) answers += 1;
  }
  return answers;
}

it('one host gets so many answers in a second, whatever port it asks from', () => {
  assert.equal(answered('50.1.2.3', HOST_QUERIES_PER_SEC + 10), HOST_QUERIES_PER_SEC);
});

it('an address of the local network may have many nodes: the bound for one host is not for it', () => {
  const count = HOST_QUERIES_PER_SEC + 10;
  assert.equal(answered('127.0.0.1', count), count);
  assert.equal(answered('10.1.2.3', count), count);
});

it('the bound for all is for exempt hosts, too', () => {
  const gate = new QueryGate();
  let admitted = 0;
  for (let i = 0; i < 3 * ALL_QUERIES_PER_SEC; i += 1) {
    if (gate.admit(1_000, '127.0.0.1', true)) admitted += 1;
  }
  assert.equal(admitted, 2 * ALL_QUERIES_PER_SEC);
  assert.equal(gate.refused, ALL_QUERIES_PER_SEC);
  assert.equal(gate.admit(1_000, '50.1.2.3'), false);
});
