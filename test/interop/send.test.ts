/**
 * Sending between hosts of their own: by words and to contacts, by each way to find each other, through a relay, past kills and changes of the network; and what
 * somebody sees who sits at the wire.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Rng } from '../../src/lib/rng.ts';
import { Contacts } from '../../src/node/contacts.ts';
import { identityFile, openIdentity } from '../../src/node/identity-store.ts';
import {
  type Starling,
  type StarlingEvent,
  type StarlingOptions,
  startStarling,
} from '../support/cli.ts';
import { needing, TestBed } from '../support/cli-child.ts';
import { readTree, writeFile } from '../support/content.ts';
import { namespaceObstacle, raiseWall, replaceAddress } from '../support/namespace.ts';
import { Neighbourhood } from '../support/neighbourhood.ts';
import { befriend, codeOf, peerIdIn, startReceive, startSend } from '../support/sending.ts';

const PYTHON = '/usr/bin/python3';
const CAPTURE = join(import.meta.dirname, '..', 'support', 'wire-capture.py');
const KILLS = 20;
const SEED = Number(process.env['STARLING_SEED'] ?? 11);
const MIB = 1024 * 1024;

const needed = needing('ip', 'nft', PYTHON);
const obstacle = process.env['CI'] === 'true' ? false : namespaceObstacle();
const options = { ...needed, skip: needed.skip || obstacle, timeout: 180_000 };

/** Hosts by what they are for. */
const [HELP, SENDER, RECEIVER] = [0, 1, 2] as const;

/** Hosts at a switch, something to send, and a place for it. */
class Street {
  readonly bed: TestBed;
  readonly hood: Neighbourhood;
  readonly file: string;
  readonly to: string;

  constructor(bed: TestBed, bytes: number, hosts = 3) {
    this.bed = bed;
    this.hood = new Neighbourhood(bed, hosts);
    this.file = join(bed.dir('from'), 'content.bin');
    this.to = bed.dir('to');
    writeFile(this.file, bytes, 3);
  }

  send(args: readonly string[], more?: StarlingOptions): Starling {
    return this.hood.start(SENDER, ['send', this.file, ...args], more);
  }

  receive(args: readonly string[], more?: StarlingOptions): Starling {
    return this.hood.start(RECEIVER, ['receive', '--dir', this.to, '--yes', ...args], more);
  }

  /** Both end well, and with the same content. */
  async complete(sender: Starling, receiver: Starling): Promise<void> {
    await Promise.all([sender.done(150_000), receiver.done(150_000)]);
    assert.equal(last(sender, 'summary')['sha256'], last(receiver, 'summary')['sha256']);
    assert.deepEqual(readdirSync(this.to), ['content.bin']);
    assert.deepEqual(readTree(join(this.to, 'content.bin')), readTree(this.file));
  }
}

function last({ events }: Starling, type: string): StarlingEvent {
  return events.findLast((event) => event.type === type)!;
}

function pathOf(starling: Starling): { kind: string; remote: string } {
  return last(starling, 'paired')['path'] as { kind: string; remote: string };
}

describe('send between hosts', { concurrency: 2 }, () => {
  it('by words, over the DHT alone', options, async () => {
    await using bed = new TestBed();
    const street = new Street(bed, 3 * MIB);
    await street.hood.dhtNode(HELP);
    const way = ['--no-lsd', '--bootstrap', street.hood.at(HELP)];
    const sender = street.send(way);
    const receiver = street.receive([await codeOf(sender), ...way]);
    await street.complete(sender, receiver);
    assert.equal(pathOf(receiver).remote, street.hood.at(SENDER));
  });

  it('by words, over the local network alone', options, async () => {
    await using bed = new TestBed();
    const street = new Street(bed, 3 * MIB);
    const sender = street.send(['--no-dht']);
    const receiver = street.receive([await codeOf(sender), '--no-dht']);
    await street.complete(sender, receiver);
    assert.equal(pathOf(sender).kind, 'lan');
  });

  for (const [what, isLan] of [
    ['local network', true],
    ['DHT', false],
  ] as const) {
    it(`to a contact, over the ${what} alone`, options, async () => {
      await using bed = new TestBed();
      const street = new Street(bed, 3 * MIB);
      const [ana, ben] = [bed.home(), bed.home()];
      befriend(ana, 'ana', ben, 'ben');
      if (!isLan) await street.hood.dhtNode(HELP);
      const way = isLan ? ['--no-dht'] : ['--no-lsd', '--bootstrap', street.hood.at(HELP)];
      const sender = street.send(['--to', 'ben', ...way], { home: ana });
      const receiver = street.receive(['--once', ...way], { home: ben });
      await street.complete(sender, receiver);
    });
  }

  it(
    'by words through a relay where no direct way exists: both ends show it',
    options,
    async () => {
      await using bed = new TestBed();
      const street = new Street(bed, 5 * MIB);
      const { sender, receiver } = await throughRelay(street, []);
      await street.complete(sender, receiver);
      for (const one of [sender, receiver]) assert.equal(pathOf(one).kind, 'relay');
      assert.ok(!sender.events.some(({ type }) => type === 'path'));
    },
  );

  it('from the relay to a direct way when one opens in mid-transfer', options, async () => {
    await using bed = new TestBed();
    const street = new Street(bed, 12 * MIB);
    const { sender, receiver, fell, relay } = await throughRelay(street, [
      '--upload-limit',
      `${MIB}`,
    ]);
    await receiver.event('progress', ({ doneBytes }) => Number(doneBytes) > 0);
    fell();
    const isDirect = ({ kind }: StarlingEvent): boolean => kind !== 'relay';
    await Promise.all([receiver.event('path', isDirect), sender.event('path', isDirect)]);
    await street.complete(sender, receiver);
    const isIdle = ({ connections, passedBytes }: StarlingEvent): boolean =>
      connections === 0 && Number(passedBytes) > 0;
    const { passedBytes } = await relay.event('status', isIdle);
    assert.ok(Number(passedBytes) < 12 * MIB, 'the rest went directly');
  });

  it(`by words, killed (SIGKILL) ${KILLS} times at either end in one transfer (STARLING_SEED=${SEED})`, {
    ...options,
    timeout: 240_000,
  }, async () => {
    await using bed = new TestBed();
    const rng = new Rng(SEED);
    const file = join(bed.dir('from'), 'content.bin');
    writeFile(file, 80 * MIB, 3);
    const to = bed.dir('to');
    const homes = [bed.home(), bed.home()] as const;
    const send = (): Starling =>
      startSend(bed, [file, '--no-dht', '--upload-limit', `${3 * MIB}`], { home: homes[0] });
    let sender = send();
    const code = await codeOf(sender);
    const receive = (): Starling =>
      startReceive(bed, [code, '--dir', to, '--yes', '--no-dht'], { home: homes[1] });
    let receiver = receive();
    let had = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      // So much further, or before anything came.
      const aim = rng.below(4) === 0 ? 0 : had + rng.below(2 * MIB);
      const { doneBytes } = await receiver.event('progress', (event) => {
        return Number(event['doneBytes']) >= aim;
      });
      had = Math.max(had, Number(doneBytes));
      if (rng.below(2) === 0) {
        await killed(sender);
        await receiver.event('lost', undefined, 30_000);
        sender = send();
        assert.equal(await codeOf(sender), code);
      } else {
        await killed(receiver);
        receiver = receive();
      }
    }
    await Promise.all([sender.done(120_000), receiver.done(120_000)]);
    assert.deepEqual(readdirSync(to), ['content.bin']);
    assert.deepEqual(readTree(join(to, 'content.bin')), readTree(file));
  });

  it('goes on when the receiver gets another address in mid-transfer', options, async () => {
    await using bed = new TestBed();
    const street = new Street(bed, 24 * MIB);
    // A machine that moves listens everywhere, which offline is this machine alone; its namespace has no way out.
    const start = (host: number, ...args: string[]): Starling => {
      const { prefix } = street.hood.network.hosts[host]!;
      const env = { STARLING_OFFLINE: undefined };
      const listen = ['--no-dht', '--no-port-mapping', '--listen', `0.0.0.0:${6_881 + host}`];
      return startStarling(bed, [...args, ...listen, '--json'], { prefix, env });
    };
    const sender = start(SENDER, 'send', street.file, '--upload-limit', `${2 * MIB}`);
    const code = await codeOf(sender);
    const receiver = start(RECEIVER, 'receive', code, '--dir', street.to, '--yes');
    await receiver.event('progress', ({ doneBytes }) => Number(doneBytes) > 0);
    replaceAddress(street.hood.network.hosts[RECEIVER]!, '10.77.1.77');
    await street.complete(sender, receiver);
  });

  it(
    'shows nothing to who reads all frames: no content, no name, no word, no identity',
    options,
    async () => {
      await using bed = new TestBed();
      const street = new Street(bed, 1);
      const marker = 'a sentence that stands in the file again and again. ';
      writeFileSync(street.file, marker.repeat(40_000));
      await street.hood.dhtNode(HELP);
      const log = join(bed.root, 'frames');
      const [program, ...words] = [...street.hood.network.prefix, PYTHON, CAPTURE, log];
      const capture = bed.start(program!, words);
      await capture.waitFor('capture', () => capture.lines[0]);
      const way = ['--bootstrap', street.hood.at(HELP)];
      const homes = [bed.home(), bed.home()] as const;
      const sender = street.send(way, { home: homes[0] });
      const code = await codeOf(sender);
      const receiver = street.receive([code, ...way], { home: homes[1] });
      await street.complete(sender, receiver);
      await capture.stop();
      const frames = readFileSync(log);
      assert.ok(frames.length > marker.length * 40_000, 'all of it passed by');
      assert.ok(frames.includes('BT-SEARCH'), 'announcements are seen');
      assert.ok(frames.includes('get_peers') || frames.includes('find_node'), 'the DHT is seen');
      const secrets: (string | Uint8Array)[] = [
        marker.slice(0, 16),
        'content.bin',
        code,
        ...code.split('-'),
        ...homes.flatMap((home) => [peerIdIn(home), openIdentity(identityFile(home)).publicKey]),
      ];
      for (const secret of secrets) assert.ok(!frames.includes(secret), `it shows ${secret}`);
    },
  );
});

async function killed({ child }: Starling): Promise<void> {
  child.signal('SIGKILL');
  await child.exit();
}

/** A sender and a receiver who can both reach a relay, and not each other. */
async function throughRelay(
  street: Street,
  limits: readonly string[],
): Promise<{ sender: Starling; receiver: Starling; relay: Starling; fell: () => void }> {
  const { bed, hood } = street;
  const [own, ana] = [bed.home(), bed.home()];
  new Contacts(own).add('ana', peerIdIn(ana));
  const relay = hood.start(HELP, ['relay', '--all-contacts', '--no-lsd'], { home: own });
  const { link } = await relay.event('relaying');
  const contacts = new Contacts(ana);
  contacts.add('relay', String(link));
  contacts.setFlags('relay', { isRelay: true });
  const { hosts } = hood.network;
  const fell = raiseWall(bed, hosts[SENDER]!, hosts[RECEIVER]!);
  const way = ['--bootstrap', hood.at(HELP)];
  const sender = street.send([...way, ...limits], { home: ana });
  const receiver = street.receive([await codeOf(sender), ...way]);
  const isRelayed = ({ path }: StarlingEvent): boolean =>
    (path as { kind: string }).kind === 'relay';
  await Promise.all([sender.event('paired', isRelayed), receiver.event('paired', isRelayed)]);
  return { sender, receiver, relay, fell };
}
