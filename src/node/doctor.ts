/**
 * Tests the ways by which this node reaches others and is reached, and says in plain words what is wrong and how to mend it.
 *
 * What cannot be known from here is not claimed: whether a router lets strangers in, only strangers can tell, so it is said what the DHT's nodes saw.
 * Nothing is changed. Bounds: each test ends by itself after the times below.
 * @module
 */

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import fs from 'node:fs';
import os from 'node:os';
import { httpGet } from '../io/http.ts';
import { makeFolder } from '../io/make-folder.ts';
import { joinMulticast } from '../io/multicast.ts';
import { dialTcp } from '../io/tcp.ts';
import { encode } from '../protocol/bencode/index.ts';
import { encodeAnnounce, LSD_GROUPS, LSD_PORT } from '../protocol/lsd/index.ts';
import { formatEndpoint } from './address.ts';
import { CLIENT_NAME, DEFAULT_PORT } from './config.ts';
import { lsdInterfaces } from './lsd-interfaces.ts';
import { dialProblem } from './peer-link.ts';
import type { PeerNode } from './peer-node.ts';
import { describeMapping } from './port-mapping.ts';
import { scrapeTrackers } from './scrape.ts';

// Implementation limits
/** How long a word to ourselves may take. */
const ECHO_MS = 2_000;
/** How long the DHT's first node is waited for, and its first lookups. */
const DHT_MS = 10_000;
/** How long a tracker may take. */
const TRACKER_MS = 15_000;
/** A clock that is further off breaks announces that are signed and dated. */
const CLOCK_TOLERANCE_MS = 60_000;

/** How a test came out; `skipped` tests were not asked for or make no sense here. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** One test. */
export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  /** What was seen. */
  readonly finding: string;
  /** What to do about it. */
  readonly mend?: string;
}

/** What is to be tested besides the node itself. */
export interface DoctorOptions {
  /** Announce URLs. */
  readonly trackers: readonly string[];
  /** The user named the address to listen on. */
  readonly isListenGiven: boolean;
  /** False: the local network is not to be spoken to. Default true. */
  readonly usesLocalDiscovery?: boolean;
}

type Outcome = Omit<Check, 'name'>;

/** Runs the tests one after another; each is told when it is done. */
export async function* examine(node: PeerNode, options: DoctorOptions): AsyncGenerator<Check> {
  yield { name: 'Home folder', ...checkHome(node.home) };
  yield { name: 'Listening port', ...(await checkListening(node, options)) };
  yield { name: 'UDP', ...(await checkUdp(node)) };
  yield { name: 'Port mapping', ...(await checkPortMapping(node)) };
  yield { name: 'DHT', ...(await checkDht(node)) };
  for (const url of options.trackers) {
    yield { name: `Tracker ${url}`, ...(await checkTracker(url, node)) };
  }
  if (options.trackers.length === 0) {
    const finding = 'no tracker was named; --tracker URL tests one';
    yield { name: 'Tracker', status: 'skipped', finding };
  }
  if (options.usesLocalDiscovery !== false) {
    yield { name: 'Local network', ...(await checkMulticast(node)) };
  } else yield { name: 'Local network', status: 'skipped', finding: 'local discovery is off' };
  yield { name: 'Clock', ...(await checkClock(node, options)) };
}

function checkHome(home: string): Outcome {
  try {
    makeFolder(home);
    fs.accessSync(home, fs.constants.W_OK);
    return { status: 'ok', finding: `${home} can be written` };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      status: 'failed',
      finding: `${home} cannot be written (${code}), so nothing is remembered between runs`,
      mend: 'Change its permissions, or set STARLING_HOME to a folder of your own.',
    };
  }
}

async function checkListening(node: PeerNode, { isListenGiven }: DoctorOptions): Promise<Outcome> {
  const { port } = node.endpoint;
  const [at] = node.reachableEndpoints;
  try {
    const connection = await dialTcp({ ...at!, timeoutMs: ECHO_MS });
    connection.destroy();
  } catch (error) {
    const why = dialProblem(error as NodeJS.ErrnoException);
    return {
      status: 'failed',
      finding: `it listens on ${formatEndpoint(node.endpoint)}, but a connection to ${formatEndpoint(at!)} fails: ${why}`,
      mend: `Let TCP port ${port} through the firewall of this machine.`,
    };
  }
  if (isListenGiven || port === DEFAULT_PORT) {
    return { status: 'ok', finding: `TCP port ${port} takes connections from this machine` };
  }
  return {
    status: 'warning',
    finding: `port ${DEFAULT_PORT} is taken by another program, so port ${port} is used for this run only`,
    mend: `Stop the other program, or choose a port with --listen 0.0.0.0:PORT, so that a router can forward it.`,
  };
}

/** A DHT ping from another socket to the node's own: in at one end, out at the other. */
async function checkUdp(node: PeerNode): Promise<Outcome> {
  const { dht } = node;
  const family = node.endpoint.host.includes(':') ? 6 : 4;
  const port = dht?.port(family);
  if (port === undefined) {
    return {
      status: dht === undefined ? 'skipped' : 'failed',
      finding:
        dht === undefined
          ? 'the DHT is off, which is what uses it'
          : 'no UDP socket could be opened',
      ...(dht === undefined ? {} : { mend: 'Look whether another program has the port.' }),
    };
  }
  const args = { id: randomBytes(20) };
  // Read-only (BEP 43): it will not be there when anybody asks it.
  const ping = encode({ a: args, q: 'ping', ro: 1, t: randomBytes(2), y: 'q' });
  const { host } =
    node.reachableEndpoints.find((one) => one.host.includes(':') === (family === 6)) ??
    node.endpoint;
  const heard = await echoOf(family, ping, { host, port });
  if (heard) return { status: 'ok', finding: `UDP port ${port} answers this machine` };
  return {
    status: 'failed',
    finding: `UDP port ${port} does not answer this machine`,
    mend: `Let UDP port ${port} through the firewall of this machine.`,
  };
}

function echoOf(
  family: 4 | 6,
  bytes: Uint8Array,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<boolean> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  return new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), ECHO_MS);
    const end = (isHeard: boolean): void => {
      clearTimeout(timer);
      resolve(isHeard);
    };
    socket.on('error', () => end(false)).on('message', () => end(true));
    socket.send(bytes, port, host, (error) => {
      if (error !== null) end(false);
    });
  }).finally(() => socket.close());
}

/** The router was asked when the node was opened; the mapping ends with it. */
async function checkPortMapping({ portMapper, endpoint }: PeerNode): Promise<Outcome> {
  if (portMapper === undefined) return { status: 'skipped', finding: 'it is off' };
  const status = await portMapper.settled();
  const finding = describeMapping(status);
  if (status.state === 'idle') return { status: 'skipped', finding };
  if (status.state !== 'mapped') {
    return {
      status: 'warning',
      finding: `no router let the port through: ${finding}`,
      mend: `Turn on UPnP, NAT-PMP or PCP in the router, or forward port ${endpoint.port}, TCP and UDP, to this machine.`,
    };
  }
  if (status.isBehindAnother !== true) return { status: 'ok', finding };
  return {
    status: 'warning',
    finding: `${finding}, which is no public address: another router or the provider stands before it`,
    mend: 'Ask the provider for a public address, or map the port in the other router too.',
  };
}

async function checkDht({ dht, policy }: PeerNode): Promise<Outcome> {
  if (dht === undefined) return { status: 'skipped', finding: 'it is off' };
  if (!(await dht.ready(DHT_MS))) {
    const isAlone = policy.isOffline;
    return {
      status: 'failed',
      finding: isAlone
        ? 'no node answers; STARLING_OFFLINE allows those that were named only'
        : 'no node answers',
      mend: isAlone
        ? 'Name a node with --bootstrap HOST:PORT.'
        : 'Check the connection and that UDP is let out; name a node you know with --bootstrap HOST:PORT.',
    };
  }
  await dht.settle(DHT_MS);
  const status = dht.status();
  const good = status.reduce((sum, { table }) => sum + table.good, 0);
  const asked = status.reduce((sum, { totals }) => sum + totals.queriesReceived, 0);
  const seen = status.flatMap(({ externalHost }) => externalHost ?? []);
  const outside = seen.length === 0 ? '' : `; they see this machine at ${seen.join(' and ')}`;
  const finding = `${good} node${good === 1 ? '' : 's'} answered${outside}; ${asked} quer${asked === 1 ? 'y' : 'ies'} came in`;
  const own = Object.values(os.networkInterfaces()).flatMap((all) => all ?? []);
  const isBehindRouter = seen.some((host) => !own.some(({ address }) => address === host));
  if (!isBehindRouter || asked > 0) return { status: 'ok', finding };
  return {
    status: 'warning',
    finding: `${finding}: a router may keep strangers out, and then you find them, but not they you`,
    mend: `Forward the port of --listen, TCP and UDP, in the router to this machine.`,
  };
}

async function checkTracker(url: string, node: PeerNode): Promise<Outcome> {
  const magnet = { infoHashV1: randomBytes(20), trackers: [url], webSeeds: [], peers: [] };
  const signal = AbortSignal.timeout(TRACKER_MS);
  const given = [url];
  const [result] = await scrapeTrackers({ kind: 'magnet', magnet }, { signal, given });
  if (result?.error === undefined && result !== undefined && !signal.aborted) {
    return { status: 'ok', finding: 'it answers' };
  }
  const why = result?.error ?? `no answer in ${TRACKER_MS / 1000} s`;
  return {
    status: 'failed',
    finding: why,
    mend: `Check the URL, and whether other networks reach it: trackers come and go.${node.policy.isOffline ? ' STARLING_OFFLINE is set, so no names are looked up.' : ''}`,
  };
}

/** An announce of a torrent that nobody has goes to the group and must come back to its sender. */
async function checkMulticast(node: PeerNode): Promise<Outcome> {
  const place = { listenHost: node.endpoint.host, isOffline: node.policy.isOffline };
  const family = node.endpoint.host.includes(':') && node.endpoint.host !== '::' ? 6 : 4;
  const interfaces = lsdInterfaces(os.networkInterfaces(), family, place);
  const cookie = randomBytes(4).toString('hex');
  const { port } = node.endpoint;
  const announce = encodeAnnounce(family, { port, infoHashes: [randomBytes(20)], cookie });
  const names = interfaces.map(({ name }) => name).join(', ');
  let hear = (): void => {};
  const heard = new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => resolve(false), ECHO_MS);
    hear = () => {
      clearTimeout(timer);
      resolve(true);
    };
  });
  const group = await joinMulticast({
    family,
    group: LSD_GROUPS[family],
    port: LSD_PORT,
    interfaces,
    onMessage: (bytes) => {
      if (Buffer.from(bytes).includes(cookie)) hear();
    },
  }).catch(() => undefined);
  group?.send(announce);
  const isHeard = group !== undefined && (await heard);
  await group?.close();
  if (isHeard) return { status: 'ok', finding: `multicast works on ${names}` };
  return {
    status: 'failed',
    finding:
      group === undefined
        ? `another program has UDP port ${LSD_PORT} for itself`
        : `what is sent to the group does not come back (on ${names || 'no interface'})`,
    mend: `Let UDP port ${LSD_PORT} and multicast (${LSD_GROUPS[family]}) through the firewall; some Wi-Fi routers keep guests apart.`,
  };
}

/** Against the first HTTP tracker that says what time it has. */
async function checkClock(node: PeerNode, { trackers }: DoctorOptions): Promise<Outcome> {
  for (const url of trackers.filter((one) => /^https?:/i.test(one))) {
    const startMs = Date.now();
    const reply = await httpGet(url, {
      timeoutMs: TRACKER_MS,
      maxBytes: 65_536,
      userAgent: CLIENT_NAME,
      policy: node.policy,
    }).catch(() => undefined);
    const theirs = Date.parse(reply?.headers.date ?? '');
    if (Number.isNaN(theirs)) continue;
    const offMs = (startMs + Date.now()) / 2 - theirs;
    const seconds = Math.round(Math.abs(offMs) / 1000);
    const side = offMs > 0 ? 'ahead of' : 'behind';
    if (Math.abs(offMs) <= CLOCK_TOLERANCE_MS) {
      return {
        status: 'ok',
        finding: `it agrees with the tracker's within ${Math.max(1, seconds)} s`,
      };
    }
    return {
      status: 'warning',
      finding: `it is ${seconds} s ${side} the tracker's`,
      mend: 'Let the system set its clock by the network (NTP).',
    };
  }
  const built = fs.statSync(import.meta.filename).mtimeMs;
  if (Date.now() >= built) {
    return {
      status: 'ok',
      finding: 'it is not before this program was installed; --tracker with http(s) compares it',
    };
  }
  return {
    status: 'failed',
    finding: `it says ${new Date().toISOString()}, which is before this program was installed`,
    mend: 'Let the system set its clock by the network (NTP).',
  };
}
