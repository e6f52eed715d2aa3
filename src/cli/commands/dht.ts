/**
 * `starling dht`: how this node stands in the DHT; `dht get`, `dht put` and `dht peers` ask and store without any torrent.
 * @module
 */
import {
  type BencodeValue,
  DhtClient,
  type DhtItem,
  type DhtStatus,
  decode,
  encode,
  formatEndpoint,
  fromHex,
  isMutable,
  MAX_VALUE_BYTES,
  nodeCrypto,
  publicKeyOf,
  publisherSeed,
  signDhtItem,
  targetOf,
  toHex,
} from '../../node/api/dht.ts';
import {
  type CommandSpec,
  listOption,
  type OptionValues,
  switchOption,
  textOption,
} from '../command.ts';
import { CommandEnd, EXIT, usageError } from '../exit.ts';
import { COMMON_OPTIONS, outputOf } from '../options.ts';
import { saltOption } from '../salt.ts';

/** How long the first answer may take before a command gives up. */
const PATIENCE_MS = 10_000;
/** How long a look at the node lets it settle. */
const SETTLE_MS = 3_000;
const ACTIONS: ReadonlySet<string> = new Set(['get', 'put', 'peers']);
const TARGET_DIGITS = 40;
const KEY_DIGITS = 64;

/** The command. */
export const dhtCommand: CommandSpec = {
  name: 'dht',
  argument: '[get TARGET|KEY[.SALT] | put TEXT | peers INFOHASH …]',
  words: ['get', 'put', 'peers'],
  summary: 'look at the DHT, get and put items, list peers',
  options: {
    mutable: { help: 'put: sign it with the key of this node; the next put replaces it' },
    salt: { value: 'text', help: 'put --mutable: one key has an item for each salt' },
    listen: {
      value: 'host:port',
      help: 'address of the socket; default: port 6881, or a free one',
    },
    bootstrap: { value: 'host:port', isRepeatable: true, help: 'a DHT node to begin with' },
    ...COMMON_OPTIONS,
  },
  run: async (words, options) => {
    const [action, value, ...rest] = words;
    if (rest.length > 0) throw usageError(`dht: expected one value, got also "${rest[0]}".`);
    if (action === undefined) await showStatus(options);
    else if (!ACTIONS.has(action)) {
      throw usageError(`dht: expected get, put or peers, got "${action}".`);
    } else if (value === undefined)
      throw usageError(`dht ${action}: expected a value, got nothing.`);
    else if (action === 'get') await getItem(options, value);
    else if (action === 'put') await putItem(options, value);
    else await listPeers(options, value);
  },
};

function openClient(options: OptionValues): Promise<DhtClient> {
  const listen = textOption(options, 'listen');
  const bootstrap = listOption(options, 'bootstrap');
  return DhtClient.open({ bootstrap, ...(listen === undefined ? {} : { listen }) }, PATIENCE_MS);
}

/** @throws CommandEnd when no node answers. */
function expectNodes({ dht }: DhtClient): void {
  if (dht.status().some(({ table }) => table.good > 0)) return;
  throw new CommandEnd(
    'No node of the DHT answers: check the connection and that UDP is let through, or name a node with --bootstrap HOST:PORT.',
    { exitCode: EXIT.failed },
  );
}

async function showStatus(options: OptionValues): Promise<void> {
  const output = outputOf(options);
  await using client = await openClient(options);
  const { dht } = client;
  if (dht.status().some(({ table }) => table.good > 0)) await dht.settle(SETTLE_MS);
  for (const status of dht.status()) {
    const port = dht.port(status.family);
    output.event({ type: 'status', ...status, id: toHex(status.id), port });
    output.result(describe(status, port));
  }
  expectNodes(client);
}

function describe(status: DhtStatus, port: number | undefined): string {
  const { table, totals } = status;
  return [
    `IPv${status.family}, UDP port ${port}`,
    `  id           ${toHex(status.id)}`,
    `  address      ${status.externalHost ?? 'not told yet'}`,
    `  nodes        ${table.good} good, ${table.questionable} questionable, ${table.waiting} waiting, in ${table.buckets} buckets`,
    `  network      ${status.networkSize === 0 ? 'size unknown' : `about ${status.networkSize} nodes`}`,
    `  questions    ${totals.queriesSent} sent, ${totals.answersReceived} answered, ${totals.timeouts} timed out, ${totals.queriesReceived} received`,
  ].join('\n');
}

async function listPeers(options: OptionValues, text: string): Promise<void> {
  const infoHash = hexOf(text, TARGET_DIGITS, 'an info-hash of 40 hex digits');
  const output = outputOf(options);
  await using client = await openClient(options);
  expectNodes(client);
  const seen = new Set<string>();
  await client.dht.peers(infoHash, (peers) => {
    for (const peer of peers) {
      const address = formatEndpoint(peer);
      if (seen.has(address)) continue;
      seen.add(address);
      output.event({ type: 'peer', address });
      output.result(address);
    }
  });
  output.event({ type: 'done', peers: seen.size });
  if (seen.size === 0)
    throw new CommandEnd(`No peers of ${text} are announced in the DHT.`, {
      exitCode: EXIT.failed,
    });
}

async function getItem(options: OptionValues, text: string): Promise<void> {
  const [hex, salt] = splitKey(text);
  const isKey = hex.length === KEY_DIGITS;
  const expected = 'a target of 40 hex digits, or a key of 64, with .SALT where it has one';
  const name = hexOf(hex, isKey ? KEY_DIGITS : TARGET_DIGITS, expected);
  if (!isKey && salt !== '') throw usageError(`dht: expected ${expected}, got "${text}".`);
  const output = outputOf(options);
  await using client = await openClient(options);
  expectNodes(client);
  const { dht } = client;
  const { item } = await (isKey ? dht.getMutable(name, Buffer.from(salt)) : dht.get(name));
  if (item === undefined)
    throw new CommandEnd(`Nothing is stored under ${text}.`, { exitCode: EXIT.failed });
  const target = toHex(targetOf(nodeCrypto, item));
  output.event({ target, type: 'item', value: readable(contentOf(item)), ...mutableFacts(item) });
  const value = readable(contentOf(item));
  output.result(typeof value === 'string' ? value : JSON.stringify(value));
}

async function putItem(options: OptionValues, text: string): Promise<void> {
  const value = encode(text);
  if (value.length > MAX_VALUE_BYTES) {
    throw usageError(`dht put: expected at most ${MAX_VALUE_BYTES} bytes, got ${value.length}.`);
  }
  const salt = saltOption(options);
  const isSigned = switchOption(options, 'mutable');
  if (salt.length > 0 && !isSigned) throw usageError('--salt: expected --mutable with it.');
  const output = outputOf(options);
  await using client = await openClient(options);
  expectNodes(client);
  const { dht } = client;
  let item: DhtItem = { value };
  let before: number | undefined;
  if (isSigned) {
    const seed = publisherSeed();
    const known = await dht.getMutable(publicKeyOf(seed), salt);
    before = known.item !== undefined && isMutable(known.item) ? known.item.seq : undefined;
    item = signDhtItem(seed, (before ?? 0) + 1, value, salt);
  }
  let { stored } = await dht.put(item, before);
  if (stored === 0) {
    // The few nodes known so far may be gone or know no items (BEP 44): by now there may be others.
    await dht.settle(SETTLE_MS);
    ({ stored } = await dht.put(item, before));
  }
  const target = toHex(targetOf(nodeCrypto, item));
  output.event({ target, type: 'stored', nodes: stored, ...mutableFacts(item) });
  if (stored === 0)
    throw new CommandEnd('No node took the item: try again in a while.', { exitCode: EXIT.failed });
  const key = isMutable(item)
    ? `${toHex(item.publicKey)}${salt.length > 0 ? `.${salt}` : ''}`
    : target;
  output.result(
    `${key}\nStored at ${stored} node${stored === 1 ? '' : 's'}; "starling dht get ${key}" reads it.`,
  );
}

function mutableFacts(item: DhtItem): Record<string, unknown> {
  if (!isMutable(item)) return {};
  const salt = Buffer.from(item.salt).toString();
  return { key: toHex(item.publicKey), seq: item.seq, ...(salt === '' ? {} : { salt }) };
}

function splitKey(text: string): [hex: string, salt: string] {
  const dot = text.indexOf('.');
  return dot < 0 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)];
}

function hexOf(text: string, digits: number, expected: string): Uint8Array {
  const bytes = text.length === digits ? fromHex(text.toLowerCase()) : undefined;
  if (bytes === undefined) throw usageError(`dht: expected ${expected}, got "${text}".`);
  return bytes;
}

function contentOf(item: DhtItem): BencodeValue {
  const decoded = decode(item.value);
  return decoded.ok ? decoded.value : item.value;
}

/** What JSON can show: texts where they are texts, hex where not. */
function readable(value: BencodeValue): unknown {
  if (value instanceof Uint8Array) {
    const text = Buffer.from(value).toString();
    return Buffer.from(text).equals(value) ? text : { hex: toHex(value) };
  }
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return value;
  return Object.fromEntries([...value.entries()].map(([key, each]) => [key, readable(each)]));
}
