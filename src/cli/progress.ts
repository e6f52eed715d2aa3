/**
 * Shows how a torrent does: a status line for people, events for programs.
 * @module
 */
import type { Torrent, TorrentStatus } from '../node/api/index.ts';
import { formatBar, formatBytes, formatSeconds, type Output } from './output.ts';
import { originInWords } from './peer-words.ts';

// Implementation limits
/** How often the status line is drawn. */
const REDRAW_MS = 250;
/** How often a progress event is written with --json. */
const PROGRESS_EVENT_MS = 1_000;

/** How a torrent is followed. */
export interface FollowOptions {
  /** A line for each peer that comes, fails or goes. Default false. */
  readonly isVerbose?: boolean;
}

/** Follows a torrent until the returned function is called. */
export function followTorrent(
  torrent: Torrent,
  output: Output,
  { isVerbose = false }: FollowOptions = {},
): () => void {
  const onTerminal = setInterval(() => output.status((w) => statusLine(torrent, w)), REDRAW_MS);
  const events = setInterval(() => {
    if (output.isJson) output.event({ type: 'progress', ...brief(torrent.status()) });
  }, PROGRESS_EVENT_MS);
  let checked: { doneBytes: number; totalBytes: number } | undefined;
  torrent.on('checking', (progress) => {
    checked = progress;
  });
  torrent.on('metadata', ({ info }) => {
    output.event({ type: 'metadata', name: info.name, bytes: info.totalBytes });
    output.note(`${info.name}: ${formatBytes(info.totalBytes)} in ${info.pieceCount} pieces`);
  });
  torrent.on('piece', ({ piece }) => output.frequentEvent({ type: 'piece', piece }));
  torrent.on('piece-failed', ({ piece, peers }) => {
    output.event({ type: 'piece-failed', piece, peers });
    output.note(`piece ${piece} failed its hash; it came from ${peers.join(', ')}`);
  });
  torrent.on('state', ({ state }) => output.event({ type: 'state', state }));
  followPeers(torrent, output, isVerbose);
  torrent.on('peer-banned', (banned) => {
    output.event({ type: 'peer-banned', ...banned });
    output.note(`banned ${banned.address}: it ${banned.reason}`);
  });
  torrent.on('tracker-problem', ({ url, message }) => {
    output.event({ type: 'tracker-problem', url, message });
    output.note(`tracker ${url}: ${message}`);
  });
  torrent.on('problem', ({ error, isFinal }) => {
    output.event({ type: 'problem', code: error.code, message: error.message });
    if (!isFinal && !output.isJson) output.problem(error.message);
  });
  function statusLine(of: Torrent, width: number): string {
    return line(of.status(), checked, width);
  }
  return () => {
    clearInterval(onTerminal);
    clearInterval(events);
  };
}

function followPeers(torrent: Torrent, output: Output, isVerbose: boolean): void {
  const tell = (text: string): void => {
    if (isVerbose) output.note(text);
  };
  torrent.on('peer-connected', (connected) => {
    output.event({ type: 'peer-connected', ...connected });
    tell(`+ ${connected.address} (${originInWords(connected.source)})`);
  });
  torrent.on('peer-failed', (failed) => {
    output.frequentEvent({ type: 'peer-failed', ...failed });
    tell(`! ${failed.address} (${originInWords(failed.source)}): ${failed.reason}`);
  });
  torrent.on('peer-closed', (closed) => {
    output.event({ type: 'peer-closed', ...closed });
    tell(`- ${closed.address}: ${closed.reason}`);
  });
}

function brief(status: TorrentStatus): Readonly<Record<string, unknown>> {
  return {
    state: status.state,
    doneBytes: status.doneBytes,
    wantedBytes: status.wantedBytes,
    downloadBytesPerSec: Math.round(status.downloadBytesPerSec),
    uploadBytesPerSec: Math.round(status.uploadBytesPerSec),
    peers: status.peers.length,
  };
}

function line(
  status: TorrentStatus,
  checked: { doneBytes: number; totalBytes: number } | undefined,
  width: number,
): string {
  const peers = `${status.peers.length} peer${status.peers.length === 1 ? '' : 's'}`;
  if (status.state === 'metadata') return `Asking for metadata · ${peers}`;
  if (status.state === 'checking') {
    const share = checked === undefined ? 0 : checked.doneBytes / Math.max(1, checked.totalBytes);
    return `Checking ${formatBar(share, 20)} ${(share * 100).toFixed(0)} %`;
  }
  if (status.state === 'seeding') {
    return `Seeding ${status.name} · ${peers} · ${formatBytes(status.uploadBytesPerSec)}/s up · ${formatBytes(status.uploadedBytes)} given`;
  }
  const share = status.wantedBytes === 0 ? 0 : status.doneBytes / status.wantedBytes;
  const left = (status.wantedBytes - status.doneBytes) / status.downloadBytesPerSec;
  const text = `${(share * 100).toFixed(1)} % · ${formatBytes(status.doneBytes)} of ${formatBytes(status.wantedBytes)} · ${formatBytes(status.downloadBytesPerSec)}/s · ${peers} · ${formatSeconds(left)} left`;
  return `${formatBar(share, Math.max(5, Math.min(30, width - text.length - 2)))} ${text}`;
}
