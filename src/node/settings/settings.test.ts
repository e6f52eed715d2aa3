import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { readPrivacy, setPrivacy } from '../privacy-settings.ts';
import { environmentLayer, resolveSettings, variableOf } from './resolve.ts';
import { type SavedSettings, Settings } from './settings.ts';

type Values = Readonly<Record<string, unknown>>;

const NOTHING = { 'command line': {}, environment: {}, file: {}, saved: {} };

class Table implements SavedSettings {
  readonly values: Record<string, unknown> = {};

  async all(): Promise<Record<string, unknown>> {
    return { ...this.values };
  }

  async set(entries: Values): Promise<void> {
    for (const [name, value] of Object.entries(entries)) {
      if (value === undefined) delete this.values[name];
      else this.values[name] = value;
    }
  }
}

interface Rig {
  readonly home: string;
  readonly table: Table;
  open(given?: { env?: NodeJS.ProcessEnv; commandLine?: Values }): Promise<Settings>;
  /** Writes config.json. */
  file(content: unknown): void;
}

function rigOf(t: TestContext): Rig {
  const home = mkdtempSync(path.join(tmpdir(), 'starling-settings-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const table = new Table();
  return {
    home,
    table,
    open: (given = {}) => Settings.open({ home, table, env: {}, ...given }),
    file(content) {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      writeFileSync(path.join(home, 'config.json'), text);
    },
  };
}

/** The mistakes of an error of settings. */
async function mistakesOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail('it was taken'),
    (reason: Error & { code?: string }) => reason,
  );
  assert.equal(error.code, 'ERR_SETTINGS');
  return error.message;
}

test('the strongest source that has a value decides, whatever the others say', () => {
  const value = fc.option(fc.nat(100_000), { nil: undefined });
  const layers = fc.record({
    'command line': value,
    environment: value,
    file: value,
    saved: value,
  });
  fc.assert(
    fc.property(layers, (given) => {
      const order = ['command line', 'environment', 'file', 'saved'] as const;
      const layerOf = (source: (typeof order)[number]): Values => {
        const number = given[source];
        if (number === undefined) return {};
        return { 'queue.active-seeds': source === 'environment' ? String(number) : number };
      };
      const { values } = resolveSettings({
        'command line': layerOf('command line'),
        environment: layerOf('environment'),
        file: layerOf('file'),
        saved: layerOf('saved'),
      });
      const source = order.find((each) => given[each] !== undefined);
      assert.deepEqual(values.get('queue.active-seeds'), {
        value: source === undefined ? 100 : given[source],
        source: source ?? 'default',
      });
    }),
  );
});

test('all mistakes of all sources are told at once, with the name that was perhaps meant', async (t) => {
  const rig = rigOf(t);
  rig.file({ 'queue.active-sseds': 3, 'schedule.days': ['mon', 'someday'] });
  const env = { STARLING_LOG_LEVEL: 'loud' };
  const text = await mistakesOf(rig.open({ env, commandLine: { 'seeding.ratio': -1 } }));
  assert.match(
    text,
    /queue\.active-sseds: there is no such setting; did you mean queue\.active-seeds/,
  );
  const far = await mistakesOf(
    rig.open({ env: {}, commandLine: { 'queue.much': 3, 'download-limit': 3, foo: 3 } }),
  );
  assert.match(far, /queue\.much: there is no such setting; of this area there are queue\.active-/);
  assert.match(far, /download-limit: [^\n]*did you mean transfers\.download-limit\?/);
  assert.match(far, /foo: there is no such setting; "starling config show" lists all/);
  assert.match(text, /schedule\.days: expected days.*\(file\)/);
  assert.match(text, /log\.level: expected one of error, warn.*"loud" \(environment\)/);
  assert.match(text, /seeding\.ratio: expected a number from 0.*-1 \(command line\)/);
});

test('the text of a variable is read as its setting says', async (t) => {
  const settings = await rigOf(t).open({
    env: {
      STARLING_SCHEDULE_ENABLED: 'on',
      STARLING_SEEDING_RATIO: '1.5',
      STARLING_SCHEDULE_DAYS: 'sat, sun',
      STARLING_DOWNLOAD_DIR: '/data',
      STARLING_HOME: '/no/setting',
    },
  });
  assert.equal(settings.get('schedule.enabled'), true);
  assert.equal(settings.get('seeding.ratio'), 1.5);
  assert.deepEqual(settings.get('schedule.days'), ['sat', 'sun']);
  assert.equal(settings.get('download-dir'), '/data');
  assert.equal(variableOf('discovery.port-mapping'), 'STARLING_DISCOVERY_PORT_MAPPING');
  const half = {
    ...NOTHING,
    environment: environmentLayer({ STARLING_QUEUE_ACTIVE_SEEDS: '1.5' }),
  };
  assert.throws(() => resolveSettings(half), /a whole number/);
});

test('a change is saved and in force, null takes it back, and one mistake changes nothing', async (t) => {
  const rig = rigOf(t);
  const settings = await rig.open();
  await settings.change({ 'queue.active-seeds': 7 });
  assert.equal(settings.get('queue.active-seeds'), 7);
  assert.equal((await rig.open()).source('queue.active-seeds'), 'saved');
  const mixed = { 'queue.active-seeds': 8, 'seeding.action': 'burn', nothing: null };
  const text = await mistakesOf(settings.change(mixed));
  assert.match(text, /seeding\.action.*nothing: there is no such setting/s);
  assert.deepEqual(rig.table.values, { 'queue.active-seeds': 7 });
  await settings.change({ 'queue.active-seeds': null });
  assert.equal(settings.source('queue.active-seeds'), 'default');
  assert.deepEqual(rig.table.values, {});
});

test('what a stronger source decides cannot be changed, and the refusal says where to', async (t) => {
  const rig = rigOf(t);
  rig.file({ 'seeding.ratio': 2 });
  const settings = await rig.open({
    env: { STARLING_LOG_LEVEL: 'warn' },
    commandLine: { 'queue.active-seeds': 3 },
  });
  const text = await mistakesOf(
    settings.change({ 'seeding.ratio': 1, 'log.level': 'info', 'queue.active-seeds': 4 }),
  );
  assert.match(text, /config\.json decides it/);
  assert.match(text, /STARLING_LOG_LEVEL decides it/);
  assert.match(text, /the command line of the node decides it/);
});

test('switches of privacy are one truth with those of commands without a node', async (t) => {
  const rig = rigOf(t);
  const settings = await rig.open();
  await settings.change({ 'discovery.dht': false });
  assert.equal(readPrivacy(rig.home).dht, false);
  assert.deepEqual(rig.table.values, {});
  setPrivacy(rig.home, 'dht', true);
  setPrivacy(rig.home, 'pex', false);
  const again = await rig.open();
  assert.equal(again.get('discovery.dht'), true);
  assert.equal(again.get('discovery.pex'), false);
  await again.change({ 'discovery.pex': null });
  assert.equal(readPrivacy(rig.home).pex, true);
});

test('a password is kept as a digest and shown by nothing, not even its refusal', async (t) => {
  const rig = rigOf(t);
  const settings = await rig.open();
  await settings.change({ 'api.password': 'correct horse battery' });
  const kept = String(rig.table.values['api.password']);
  assert.match(kept, /^\$argon2id\$/);
  const shown = JSON.stringify(settings.describe());
  assert.ok(!shown.includes('correct horse') && !shown.includes('argon2id$'));
  const text = await mistakesOf(settings.change({ 'api.password': 'too short' }));
  assert.ok(text.includes('at least 12') && !text.includes('too short'), text);
});

test('a file that is no object of JSON is refused, and a reload then leaves all as it was', async (t) => {
  const rig = rigOf(t);
  rig.file({ 'log.level': 'debug' });
  const settings = await rig.open();
  for (const content of ['{"log.level":', '[1]', 'null']) {
    rig.file(content);
    await assert.rejects(rig.open(), { code: 'ERR_CONFIG' });
    await assert.rejects(settings.reload(), { code: 'ERR_CONFIG' });
  }
  rig.file({ 'log.level': 'loud' });
  await mistakesOf(settings.reload());
  assert.equal(settings.get('log.level'), 'debug');
});

test('a saved value that is right no more is dropped with a warning', async (t) => {
  const rig = rigOf(t);
  Object.assign(rig.table.values, { 'log.level': 'loud', gone: 1, 'seeding.ratio': 3 });
  const settings = await rig.open();
  assert.equal(settings.source('log.level'), 'default');
  assert.equal(settings.get('seeding.ratio'), 3);
  assert.match(settings.warnings.join('\n'), /does not count\. log\.level.*\n.*gone: there is no/);
  await settings.change({ 'queue.active-seeds': 9 });
  assert.equal(settings.get('queue.active-seeds'), 9);
});

test('who follows an area or a name is told of its changes alone', async (t) => {
  const settings = await rigOf(t).open();
  const told: string[] = [];
  const end = settings.onChange(['schedule'], () => told.push('schedule'));
  settings.onChange(['seeding.ratio'], () => told.push('ratio'));
  await settings.change({ 'schedule.from': '09:00' });
  await settings.change({ 'seeding.ratio': 2, 'seeding.time': 5 });
  await settings.change({ 'seeding.ratio': 2, 'seeding.time': 6 });
  end();
  await settings.change({ 'schedule.from': '10:00' });
  assert.deepEqual(told, ['schedule', 'ratio']);
});
