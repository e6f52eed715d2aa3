/**
 * A node for the life of one command: opened with its options, closed however the command ends, interrupted by Ctrl-C.
 * @module
 */
import { describeMapping, type NodeOptions, PeerNode } from '../node/api/index.ts';
import { CommandEnd, EXIT } from './exit.ts';
import type { Output } from './output.ts';

/**
 * Runs `body` with a node and a signal that Ctrl-C or SIGTERM aborts; a second one ends the process at once.
 * @param goOn says how to go on after an interruption.
 */
export async function withPeerNode(
  options: NodeOptions,
  output: Output,
  goOn: () => string,
  body: (node: PeerNode, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const onSignal = (): void => {
    if (abort.signal.aborted) process.exit(EXIT.interrupted);
    output.note('Stopping …');
    abort.abort(new CommandEnd(goOn(), { exitCode: EXIT.interrupted }));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const onNotice = (notice: string): void => {
    output.event({ type: 'notice', notice });
    output.note(notice);
  };
  const node = await PeerNode.open({ onNotice, ...options });
  void tellMapping(node, output);
  try {
    await body(node, abort.signal);
  } finally {
    await node.close();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Says once that a router let the port through; that none did is no news, "starling doctor" says why. */
async function tellMapping({ portMapper }: PeerNode, output: Output): Promise<void> {
  const status = await portMapper?.settled();
  if (status?.state !== 'mapped') return;
  output.event({ type: 'port-mapping', ...status });
  output.note(`Port mapping: ${describeMapping(status)}`);
}

/** Resolves after `ms`, or rejects when the signal aborts; undefined waits for the signal alone. */
export function waitUntil(
  signal: AbortSignal,
  isDone: () => boolean,
  everyMs = 200,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const timer = setInterval(() => {
      if (!isDone()) return;
      clearInterval(timer);
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, everyMs);
    const onAbort = (): void => {
      clearInterval(timer);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
