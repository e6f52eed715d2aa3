/**
 * Words and events that `send` and `receive` share.
 * @module
 */
import type { PeerPath, TransferStatus } from '../node/api/send.ts';
import { formatBar, formatBytes, formatSeconds, type Output } from './output.ts';

// Implementation limits
const REDRAW_MS = 250;
const PROGRESS_EVENT_MS = 1_000;

/** A path as people read it. */
export function pathInWords(path: PeerPath): string {
  const at = `${path.remote.host}:${path.remote.port}`;
  if (path.kind === 'relay') return `through the relay ${path.relay ?? ''} at ${at}`;
  return path.kind === 'lan' ? `directly, in this network, ${at}` : `directly, ${at}`;
}

/** A path as an event has it. */
export function pathEvent({ kind, remote, relay }: PeerPath): Readonly<Record<string, unknown>> {
  return {
    kind,
    remote: `${remote.host}:${remote.port}`,
    ...(relay === undefined ? {} : { relay }),
  };
}

/** Shows how a transfer does until the returned function is called. */
export function followTransfer(
  output: Output,
  status: () => TransferStatus | undefined,
): () => void {
  const drawn = setInterval(() => {
    const now = status();
    if (now !== undefined) output.status((columns) => line(now, columns));
  }, REDRAW_MS);
  const told = setInterval(() => {
    const now = status();
    if (now !== undefined) output.event({ type: 'progress', ...now });
  }, PROGRESS_EVENT_MS);
  return () => {
    clearInterval(drawn);
    clearInterval(told);
  };
}

function line(status: TransferStatus, columns: number): string {
  const { doneBytes, totalBytes, bytesPerSec, doneFiles, fileCount } = status;
  const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
  const left = bytesPerSec > 0 ? formatSeconds((totalBytes - doneBytes) / bytesPerSec) : '–';
  const files = fileCount > 1 ? `  ${doneFiles}/${fileCount} files` : '';
  const words = `${Math.floor(share * 100)} %  ${formatBytes(bytesPerSec)}/s  ${left}${files}`;
  const state = status.isConnected ? '' : '  waiting for the other end';
  return `${formatBar(share, Math.max(10, columns - words.length - state.length - 4))} ${words}${state}`;
}
