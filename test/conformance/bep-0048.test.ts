/** BEP 48, scrape: one test per sentence that binds a client. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import {
  buildScrapeUrl,
  parseHttpScrape,
  Scraper,
  scrapeUrl,
} from '../../src/protocol/tracker/index.ts';

const [X, Y, Z] = ['x', 'y', 'z'].map((letter) => fromLatin1(letter.repeat(20))) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** The response of the specification's example, its line breaks and spaces taken out. */
const EXAMPLE = fromLatin1(
  [
    'd5:filesd',
    `20:${'x'.repeat(20)}d8:completei11e10:downloadedi13772e10:incompletei19ee`,
    `20:${'y'.repeat(20)}d8:completei21e10:downloadedi206e10:incompletei20ee`,
    `20:${'z'.repeat(20)}d8:completei14e10:downloadedi12191e10:incompletei9ee`,
    'ee',
  ].join(''),
);

test('"locating the string announce in the Path section of the Announce URL and replacing it with the string scrape"', () => {
  const pairs = [
    ['http://tracker/announce', 'http://tracker/scrape'],
    ['http://t.example/announce.php?key=announce', 'http://t.example/scrape.php?key=announce'],
    ['https://t.example/x/announce/passkey', 'https://t.example/x/scrape/passkey'],
    ['http://announce.example/announce/announce', 'http://announce.example/announce/scrape'],
  ] as const;
  for (const [announce, scrape] of pairs) assert.equal(scrapeUrl(announce), scrape);
});

test('"URLs that are not determined by this method are outside of the scope": no request is made', () => {
  const without = [
    'http://t.example/a',
    'http://announce.example',
    'http://t.example/?x=/announce',
  ];
  for (const url of without) assert.equal(scrapeUrl(url), undefined, url);
  const scraper = new Scraper({ trackers: without, hashes: [X], rng: new Rng(1) });
  scraper.start(0);
  assert.equal(scraper.poll(), undefined);
  assert.equal(scraper.isDone, true);
  assert.match(scraper.results[0]!.error!, /scrape/);
});

test('"A Scrape request contains no HTTP Body, but instead uses HTTP Query Parameters" / "only one key, the info_hash key" / "can be appended multiple times"', () => {
  const scraper = new Scraper({
    trackers: ['http://tracker/announce'],
    hashes: [X, Y, Z],
    rng: new Rng(1),
  });
  scraper.start(0);
  const output = scraper.poll();
  assert.ok(output?.type === 'http');
  const hashes = ['x', 'y', 'z'].map((letter) => `info_hash=${letter.repeat(20)}`);
  assert.equal(output.url, `http://tracker/scrape?${hashes.join('&')}`);
  assert.equal(scraper.poll(), undefined, 'one request for all');
});

test('an info-hash is percent-encoded, and a query of the tracker stays in front', () => {
  const hash = Uint8Array.from({ length: 20 }, (_, index) => index * 13);
  const url = buildScrapeUrl('http://t.example/scrape?passkey=1', [hash]);
  assert.match(url, /^http:\/\/t\.example\/scrape\?passkey=1&info_hash=%00%0D%1A'?/);
});

test('"the key files with the value being a dictionary of the 20-byte string … paired with a dictionary of Swarm metadata": complete, incomplete, downloaded', () => {
  const reply = parseHttpScrape(200, EXAMPLE, [Y, X, new Uint8Array(20)]);
  assert.ok(reply.ok && reply.value.type === 'scrape');
  assert.deepEqual(reply.value.counts, [
    { seeds: 21, leeches: 20, downloads: 206 },
    { seeds: 11, leeches: 19, downloads: 13_772 },
    undefined,
  ]);
});

test('"an unsuccessful request is a bencoded dictionary with the key failure_reason and a string value"', () => {
  for (const key of ['failure_reason', 'failure reason']) {
    const reply = parseHttpScrape(400, fromLatin1(`d14:${key}4:nopee`), [X]);
    assert.ok(reply.ok);
    assert.deepEqual(reply.value, { type: 'refusal', reason: 'nope' });
  }
});

test('"Scrape exchanges have no effect on a peer\'s participating in a Swarm": nothing of ours is told', () => {
  const scraper = new Scraper({
    trackers: ['http://tracker/announce'],
    hashes: [X],
    rng: new Rng(1),
  });
  scraper.start(0);
  const output = scraper.poll();
  assert.ok(output?.type === 'http');
  assert.doesNotMatch(output.url, /peer_id|port|event|key|left/);
});

test('what is no reply is a fault: other values, statuses, sizes; counts that are no counts are left out', () => {
  const codeOf = (status: number, body: string | Uint8Array): string | undefined => {
    const reply = parseHttpScrape(status, typeof body === 'string' ? fromLatin1(body) : body, [X]);
    return reply.ok ? undefined : reply.code;
  };
  assert.equal(codeOf(200, 'garbage'), 'ERR_TRACKER_REPLY_MALFORMED');
  assert.equal(codeOf(200, 'd5:filesi1ee'), 'ERR_TRACKER_REPLY_MALFORMED');
  assert.equal(codeOf(404, EXAMPLE), 'ERR_TRACKER_HTTP_STATUS');
  assert.equal(codeOf(200, new Uint8Array(1_048_577)), 'ERR_TRACKER_REPLY_TOO_LARGE');
  const odd = fromLatin1(`d5:filesd20:${'x'.repeat(20)}d8:completei-1e10:incomplete1:9eee`);
  const reply = parseHttpScrape(200, odd, [X]);
  assert.ok(reply.ok && reply.value.type === 'scrape');
  assert.deepEqual(reply.value.counts, [{}]);
});
