/**
 * `--secure`: a torrent only over channels, with peers who prove who they are. What belongs to it is loaded when it is used.
 * @module
 */
import type { AddOptions, PeerNode } from '../node/api/index.ts';
import { listOption, type OptionSpec, type OptionValues, switchOption } from './command.ts';
import type { Output } from './output.ts';
import { passphraseInEnv } from './passphrase.ts';

/** Of commands that give or get a torrent. */
export const SECURE_OPTION: Readonly<Record<string, OptionSpec>> = {
  secure: {
    help: 'only over encrypted channels with contacts, and with each --peer: a name, a peer id or a link of one; nothing is announced',
  },
};

/** With whom a torrent is. */
export interface SwarmChoice {
  readonly options: Pick<AddOptions, 'peers' | 'secure'>;
  /** Ends what keeps this node findable for its contacts. */
  readonly close: () => void;
}

/** What `--secure` and `--peer` say. @throws {AppError} ERR_CONFIG for a peer that is none. */
export async function swarmOf(
  node: PeerNode,
  options: OptionValues,
  output: Output,
): Promise<SwarmChoice> {
  const peers = listOption(options, 'peer');
  if (!switchOption(options, 'secure')) return { options: { peers }, close: () => {} };
  const { openSecureSwarm } = await import('../node/api/secure-swarm.ts');
  const { pathEvent, pathInWords } = await import('./transfer-words.ts');
  const { secure, close } = openSecureSwarm(node, peers, passphraseInEnv(), (who, path) => {
    output.event({ type: 'path', peer: who, ...pathEvent(path) });
    output.note(`Connected with ${who}, ${pathInWords(path)}.`);
  });
  return { options: { secure }, close };
}
