/**
 * `starling peers`: looks for the peers of a torrent by every way there is, without fetching anything; says how each was found, and why those that failed did.
 * @module
 */
import { type FoundPeer, PeerSearch, readSource } from '../../node/api/index.ts';
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

async function look(text: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const seconds = numberOption(options, 'seconds', 0) ?? LOOK_SECONDS;
  let found: readonly FoundPeer[] = [];
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
      const search = new PeerSearch(torrent);
      const endMs = performance.now() + seconds * 1_000;
      try {
        await torrent.start();
        await waitUntil(signal, () => {
          output.status(() => `Looking · ${countsOf(search)}`);
          return performance.now() >= endMs;
        });
      } finally {
        found = search.list();
        unfollow();
        report(output, found);
      }
    },
  );
  if (!found.some(({ state }) => state !== 'failed')) {
    throw new CommandEnd(
      'No peer answered. "starling doctor" tests the ways by which peers are found.',
      { exitCode: EXIT.failed },
    );
  }
}

function countsOf({ counts }: PeerSearch): string {
  return `${counts.connected} connected · ${counts.failed} failed`;
}

function report(output: Output, found: readonly FoundPeer[]): void {
  output.lastEvent({ type: 'peers', peers: found });
  if (found.length === 0) return;
  const rows = found.map(({ address, source, state, client, reason }) => [
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
