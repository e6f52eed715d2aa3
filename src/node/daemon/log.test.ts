import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { test } from 'node:test';
import type { LogLine } from '../../contract/index.ts';
import { jsonLine, Log, textLine } from './log.ts';

test('lines are numbered, kept and passed on, up to the level that is set, which can change', () => {
  const passed: LogLine[] = [];
  const log = new Log('info', (line) => passed.push(line));
  const area = log.area('torrents');
  area.debug('not now');
  area.info('one');
  area.error('two');
  log.level = 'debug';
  area.debug('three');
  log.level = 'error';
  area.warn('not told');
  assert.deepEqual(
    log.after(0).map(({ seq, level, area: name, message }) => [seq, level, name, message]),
    [
      [1, 'info', 'torrents', 'one'],
      [2, 'error', 'torrents', 'two'],
      [3, 'debug', 'torrents', 'three'],
    ],
  );
  assert.deepEqual(passed, log.after(0));
  assert.deepEqual(
    log.after(2).map(({ message }) => message),
    ['three'],
  );
  assert.deepEqual(log.after(3), []);
});

test('the newest 2,000 lines are kept', () => {
  const log = new Log('info', () => {});
  for (let n = 1; n <= 2_500; n += 1) log.area('a').info(`line ${n}`);
  assert.equal(log.after(0).length, 2_000);
  assert.equal(log.after(0)[0]!.message, 'line 501');
  assert.equal(log.after(2_499).length, 1);
});

test('a warning that repeats is told once a minute, each area and text by itself; news are always told', () => {
  let nowMs = 0;
  const log = new Log(
    'info',
    () => {},
    () => nowMs,
  );
  const told = (): string[] => log.after(0).map(({ area, message }) => `${area} ${message}`);
  for (let n = 0; n < 5; n += 1) log.area('a').warn('disk');
  log.area('b').warn('disk');
  log.area('a').error('disk');
  log.area('a').warn('net');
  assert.deepEqual(told(), ['a disk', 'b disk', 'a net']);
  nowMs = 59_999;
  log.area('a').warn('disk');
  assert.equal(told().length, 3);
  nowMs = 60_000;
  log.area('a').warn('disk');
  assert.equal(told().length, 4);
  log.area('a').info('again');
  log.area('a').info('again');
  assert.equal(told().length, 6);
});

test('however many different warnings come, only so many are remembered', () => {
  const log = new Log(
    'info',
    () => {},
    () => 0,
  );
  log.area('a').warn('first');
  for (let n = 0; n < 256; n += 1) log.area('a').warn(`other ${n}`);
  log.area('a').warn('first');
  assert.equal(log.after(0).filter(({ message }) => message === 'first').length, 2);
});

test('what others sent cannot forge a line, move the cursor or fill the memory', () => {
  const log = new Log('info', () => {});
  log.area('a').info(`name\n2026-01-01 error b: forged\u001b[2J\u202e${'x'.repeat(10_000)}`);
  const [line] = log.after(0);
  assert.ok(line!.message.length <= 2_000);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there.
  assert.doesNotMatch(line!.message, /[\u0000-\u001f\u007f\u202a-\u202e]/);
  assert.equal(textLine(line!).split('\n').length, 2);
  assert.equal(jsonLine(line!).split('\n').length, 2);
});

test('lines for people and for collectors', () => {
  const line: LogLine = { seq: 4, atMs: 0, level: 'warn', area: 'api', message: 'said "no"' };
  assert.equal(textLine(line), '1970-01-01T00:00:00.000Z warn  api: said "no"\n');
  assert.deepEqual(JSON.parse(jsonLine(line)), {
    time: '1970-01-01T00:00:00.000Z',
    level: 'warn',
    area: 'api',
    message: 'said "no"',
  });
});

test('who subscribes to diagnostics_channel sees all levels; memory keeps to its own', () => {
  const seen: string[] = [];
  const onLine = (line: unknown): void => void seen.push((line as LogLine).level);
  const log = new Log('warn', () => {});
  diagnostics.subscribe('starling:log', onLine);
  try {
    log.area('a').debug('d');
    log.area('a').warn('w');
  } finally {
    diagnostics.unsubscribe('starling:log', onLine);
  }
  log.area('a').debug('later');
  assert.deepEqual(seen, ['debug', 'warn']);
  assert.deepEqual(
    log.after(0).map(({ message }) => message),
    ['w'],
  );
});
