/** Two nodes that stay up send to each other several things at a time, over the API. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { TestBed } from '../support/cli-child.ts';
import { openTestNode, StreamReader, type TestNode } from '../support/daemon.ts';

// biome-ignore lint/suspicious/noExplicitAny: a row of the API is JSON.
type Row = any;

/** One node knows the other by a name, and where it is. */
async function befriend(node: TestNode, other: TestNode, name: string): Promise<void> {
  const { body: card } = await other.ask('GET', '/identity?name=x&address=true');
  const answer = await node.ask('POST', '/contacts', { body: { name, id: card.link } });
  assert.equal(answer.status, 201, answer.text);
}

/** The row of a transfer as soon as it fits. */
async function rowOf(node: TestNode, fits: (row: Row) => boolean): Promise<Row> {
  const stream = new StreamReader(node, 'transfers');
  try {
    for (let seen = 0; ; ) {
      await stream.event((event) => stream.events.indexOf(event) >= seen);
      seen = stream.events.length;
      const all = ['sends', 'receives'].map((kind) => node.ask('GET', `/${kind}`));
      const row = (await Promise.all(all)).flatMap(({ body }) => body as Row[]).find(fits);
      if (row !== undefined) return row;
    }
  } finally {
    await stream.cut();
  }
}

it('two sends and two receives run at once between two nodes, both ways, beside an offer that nobody answers', async () => {
  await using bed = new TestBed();
  const nodes = [
    await openTestNode(bed, { settings: { 'download-dir': bed.dir('at-ana') } }),
    await openTestNode(bed, { settings: { 'download-dir': bed.dir('at-ben') } }),
  ] as const;
  const [ana, ben] = nodes;
  await Promise.all([befriend(ana, ben, 'ben'), befriend(ben, ana, 'ana')]);
  const send = async (from: TestNode, name: string, to: string): Promise<Row> => {
    const path = join(bed.dir('from'), name);
    writeFileSync(path, name.repeat(40_000));
    const answer = await from.ask('POST', '/sends', { body: { path, to } });
    assert.equal(answer.status, 201, answer.text);
    return answer.body;
  };
  const offered = (name: string) => (row: Row) =>
    row.name === name && row.direction === 'receive' && row.state === 'offered';
  await send(ana, 'ignored.bin', 'ben');
  const ignored = await rowOf(ben, offered('ignored.bin'));
  await send(ana, 'one.bin', 'ben');
  await send(ana, 'two.bin', 'ben');
  await send(ben, 'back.bin', 'ana');
  await send(ben, 'more.bin', 'ana');
  const take = async (node: TestNode, name: string): Promise<void> => {
    const { id } = await rowOf(node, offered(name));
    const accept = { accept: true };
    const { status } = await node.ask('POST', `/receives/${id}/answer`, { body: accept });
    assert.equal(status, 200);
    await rowOf(node, (row) => row.id === id && row.state === 'complete');
  };
  // All of them wait for an answer at the same time.
  for (const name of ['one.bin', 'two.bin']) await rowOf(ben, offered(name));
  for (const name of ['back.bin', 'more.bin']) await rowOf(ana, offered(name));
  await Promise.all([
    take(ben, 'two.bin'),
    take(ben, 'one.bin'),
    take(ana, 'more.bin'),
    take(ana, 'back.bin'),
  ]);
  for (const [where, name] of [
    ['at-ben', 'one.bin'],
    ['at-ben', 'two.bin'],
    ['at-ana', 'back.bin'],
    ['at-ana', 'more.bin'],
  ] as const) {
    assert.equal(readFileSync(join(bed.root, where, name), 'utf8'), name.repeat(40_000));
  }
  const { state } = await rowOf(ben, ({ id }) => id === ignored.id);
  assert.equal(state, 'offered', 'and it can still be answered');
  // What waits at ben does not keep its node from stopping, and is no answer.
  await ben.daemon.close();
  const { state: sent } = await rowOf(
    ana,
    ({ name, direction }) => name === 'ignored.bin' && direction === 'send',
  );
  assert.equal(sent, 'waiting');
});
