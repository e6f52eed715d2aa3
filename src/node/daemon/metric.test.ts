import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsPage } from './metric.ts';

test('numbers, numbers by labels, and none, as Prometheus reads them', () => {
  const page = metricsPage([
    { name: 'starling_peers', type: 'gauge', help: 'Peers.', value: 3 },
    {
      name: 'starling_torrents',
      type: 'gauge',
      help: 'Torrents by state.',
      value: [
        [{ state: 'seeding' }, 2],
        [{ state: 'error', kind: 'disk' }, 0.5],
      ],
    },
    { name: 'starling_none_total', type: 'counter', help: 'None yet.', value: [] },
  ]);
  assert.equal(
    page,
    [
      '# HELP starling_peers Peers.',
      '# TYPE starling_peers gauge',
      'starling_peers 3',
      '# HELP starling_torrents Torrents by state.',
      '# TYPE starling_torrents gauge',
      'starling_torrents{state="seeding"} 2',
      'starling_torrents{state="error",kind="disk"} 0.5',
      '# HELP starling_none_total None yet.',
      '# TYPE starling_none_total counter',
      '',
    ].join('\n'),
  );
});

test('a label cannot end its quotes or its line', () => {
  const value = [[{ name: 'a"} 1\nevil 2\\' }, 1]] as const;
  const page = metricsPage([{ name: 'm', type: 'gauge', help: 'M.', value }]);
  assert.equal(page.split('\n')[2], 'm{name="a\\"} 1\\nevil 2\\\\"} 1');
});

test('a page of nothing is empty', () => {
  assert.equal(metricsPage([]), '');
});
