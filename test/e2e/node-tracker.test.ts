/** A tracker that runs with the node: keys, interval and list of torrents by settings. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { TestBed } from '../support/cli-child.ts';
import { openTestNode } from '../support/daemon.ts';

const SERVED = 'ab'.repeat(20);
const OTHER = 'cd'.repeat(20);

it('the tracker of a node follows its settings', { timeout: 30_000 }, async () => {
  await using bed = new TestBed();
  const allow = join(bed.dir('lists'), 'allow.txt');
  writeFileSync(allow, `${SERVED}\n`);
  const node = await openTestNode(bed, {
    settings: {
      'tracker.listen': '127.0.0.1:0',
      'tracker.interval': 77,
      'tracker.keys': ['sesame'],
      'tracker.allow': allow,
    },
  });
  const { body } = await node.ask('GET', '/log?after=0');
  const [, url] = /(http:\/\/[^\s,]+)\/sesame\/announce/.exec(JSON.stringify(body))!;
  const announce = async (path: string, infoHash: string): Promise<string> => {
    const hash = infoHash.replaceAll(/../g, '%$&');
    const about = `info_hash=${hash}&peer_id=${'-XX0000-000000000000'}&port=7&left=0`;
    return (await fetch(`${url}${path}?${about}&uploaded=0&downloaded=0`)).text();
  };
  assert.match(await announce('/sesame/announce', SERVED), /8:intervali77e/);
  assert.doesNotMatch(await announce('/sesame/announce', OTHER), /8:interval/);
  assert.doesNotMatch(await announce('/announce', SERVED), /8:interval/);
});
