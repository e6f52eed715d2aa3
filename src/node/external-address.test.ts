import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExternalAddress } from './external-address.ts';

test('the address that most trackers name, each with its latest word', () => {
  const votes = new ExternalAddress();
  assert.equal(votes.address, undefined);
  votes.vote('a', '198.51.100.1');
  votes.vote('b', '198.51.100.2');
  assert.equal(votes.address, '198.51.100.1');
  votes.vote('c', '198.51.100.2');
  assert.equal(votes.address, '198.51.100.2');
  votes.vote('c', '198.51.100.1');
  assert.equal(votes.address, '198.51.100.1');
});

test('one tracker has one vote, and only so many are remembered', () => {
  const votes = new ExternalAddress();
  votes.vote('honest 1', '198.51.100.1');
  votes.vote('honest 2', '198.51.100.1');
  for (let index = 0; index < 50; index += 1) votes.vote('liar', `203.0.113.${index}`);
  assert.equal(votes.address, '198.51.100.1');
  for (let index = 0; index < 64; index += 1) votes.vote(`new ${index}`, '192.0.2.9');
  assert.equal(votes.address, '192.0.2.9');
});
