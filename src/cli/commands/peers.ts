/**
 * `starling peers`: looks for the peers of a torrent by every way there is, without fetching anything; says how each was found, and why those that failed did.
 * @module
 */
import { formatEndpoint, type PeerOrigin, readSource, type Torrent } from '../../node/api/index.ts';
import { type CommandSpec, listOption, numberOption, type OptionValues } from '../command.ts';
import { CommandEnd, EXIT } from '../exit.ts';
import { discoveryOf, NODE_OPTIONS, nodeOptionsOf, outputOf } from '../options.ts';
import type { Output } from '../output.ts';
import { originInWords } from '../peer-words.ts';
import { followTorrent } from '../progress.ts';
import { waitUntil, withPeerNode } from '../session.ts';

// Implementation limits
/** How long is looked unless another time is given. */
const LOOK_SECONDS = 15;
/** Peers that are listed. */
const MAX_LISTED = 2_000;

/** The command. */
export const peersCommand: CommandSpec = {
  name: 'peers',
  argument: 'torrent',
  summary: 'look for peers; show how each was found and why others failed',
  options: {
    seconds: { value: 'seconds', help: `how long to look; default ${LOOK_SECONDS}` },
    peer: { value: 'host:port', isRepeatable: true, help: 'a peer to connect to' },
    ...NODE_OPTIONS,
  },
  run: ([text], options) => look(text!, options),
};

/** A peer that was found. */
interface Found {
  readonly address: string;
  readonly source: PeerOrigin;
  state: 'connected' | 'closed' | 'failed';
  client: string;
  reason: string;
}

async function look(text: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const seconds = numberOption(options, 'seconds', 0) ?? LOOK_SECONDS;
  const found = new Map<string, Found>();
  const goOn = (): string => 'Interrupted.';
  await withPeerNode(
    { ...nodeOptionsOf(options), usesPortMapping: false },
    output,
    goOn,
    async (node, signal) => {
      const source = await readSource(text, node.policy);
      const torrent = node.prepare({
        source,
        dir: '.',
        mode: 'look',
        peers: listOption(options, 'peer'),
        ...discoveryOf(options),
      });
      const unfollow = followTorrent(torrent, output);
      collect(torrent, found);
      const endMs = performance.now() + seconds * 1_000;
      try {
        await torrent.start();
        await waitUntil(signal, () => {
          output.status(() => `Looking · ${countsOf(found)}`);
          return performance.now() >= endMs;
        });
      } finally {
        for (const { address, client } of torrent.status().peers) {
          const one = found.get(formatEndpoint(address));
          if (one !== undefined) one.client = client;
        }
        unfollow();
        report(output, [...found.values()]);
      }
    },
  );
  if (![...found.values()].some(({ state }) => state !== 'failed')) {
    throw new CommandEnd(
      'No peer answered. "starling doctor" tests the ways by which peers are found.',
      { exitCode: EXIT.failed },
    );
  }
}

function collect(torrent: Torrent, found: Map<string, Found>): void {
  const set = (address: string, source: PeerOrigin, rest: Partial<Found>): void => {
    const known = found.get(address);
    if (known !== undefined) Object.assign(known, rest);
    else if (found.size < MAX_LISTED) {
      found.set(address, { address, source, state: 'connected', client: '', reason: '', ...rest });
    }
  };
  torrent.on('peer-connected', ({ address, source }) =>
    set(address, source, { state: 'connected', reason: '' }),
  );
  torrent.on('peer-failed', ({ address, source, reason }) =>
    set(address, source, { state: 'failed', reason }),
  );
  torrent.on('peer-closed', ({ address, reason }) => {
    const known = found.get(address);
    if (known !== undefined) Object.assign(known, { state: 'closed', reason });
  });
}

function countsOf(found: ReadonlyMap<string, Found>): string {
  const failed = [...found.values()].filter(({ state }) => state === 'failed').length;
  return `${found.size - failed} connected · ${failed} failed`;
}

const ORDER = { connected: 0, closed: 1, failed: 2 } as const;

function report(output: Output, found: readonly Found[]): void {
  const sorted = found.toSorted((a, b) => ORDER[a.state] - ORDER[b.state]);
  output.lastEvent({ type: 'peers', peers: sorted });
  if (sorted.length === 0) return;
  const rows = sorted.map(({ address, source, state, client, reason }) => [
    address,
    originInWords(source),
    reason === '' ? state : `${state}: ${reason}`,
    client,
  ]);
  output.result(tableOf([['Address', 'Found by', 'State', 'Client'], ...rows]));
}

/** Columns as wide as their widest cell. */
function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
