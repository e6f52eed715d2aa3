/**
 * Errors of the node: what a person did, or what the machine refused, with the mend.
 * @module
 */
import { defineErrors } from '../lib/errors.ts';

/** Code → sentence. */
export const nodeErrorTable = {
  ERR_SOURCE: (d: { what: string; reason: string }): string =>
    `${d.what} is not a torrent that can be used: ${d.reason}. Give a magnet link, a .torrent file or the URL of one.`,
  ERR_FILE: (d: { path: string; code: string; operation: string }): string =>
    `Cannot ${d.operation} ${d.path} (${d.code}): ${mendOf(d.code)}`,
  ERR_READ: (d: { name: string; reason: string }): string =>
    `${d.name} cannot be read to its end: ${d.reason}.`,
  ERR_FILES_MISSING: (d: { path: string }): string =>
    `${d.path} is missing, so there is nothing to seed: give the folder that holds the torrent's top name with --dir, or fetch it with "get".`,
  ERR_FILES_DAMAGED: (d: { dir: string; have: number; pieces: number }): string =>
    `Only ${d.have} of ${d.pieces} pieces in ${d.dir} are right: run "get" with the same --dir to mend them.`,
  ERR_LISTEN: (d: { endpoint: string; code: string; option?: string }): string =>
    `Cannot listen on ${d.endpoint} (${d.code}): choose another address or port with ${d.option ?? '--listen'}.`,
  ERR_NO_MATCH: (d: { patterns: string; name: string }): string =>
    `No file of ${d.name} matches ${d.patterns}: see its files with "starling info".`,
  ERR_NOT_THERE: (d: { path: string }): string =>
    `There is no file or folder ${d.path}: compare the path, letter by letter.`,
  ERR_HOME: (d: { home: string; code: string }): string =>
    `The home ${d.home} cannot be used (${d.code}): ${homeFaultOf(d.code)}. Mend that, or give another folder with STARLING_HOME.`,
  ERR_HOME_IN_USE: (d: { home: string }): string =>
    `A node runs on ${d.home} already: use it ("starling status"), or give this one a folder of its own with STARLING_HOME.`,
  ERR_SETTINGS: (d: { mistakes: readonly string[] }): string =>
    d.mistakes.length === 1
      ? `${d.mistakes[0]}.`
      : `${d.mistakes.length} settings are wrong:\n  ${d.mistakes.join('\n  ')}`,
  ERR_DUPLICATE: (d: { infoHash: string }): string =>
    `The torrent ${d.infoHash} is running in this node already.`,
  ERR_INCONSISTENT: (d: { name: string; piece: number }): string =>
    `${d.name} contradicts itself: piece ${d.piece} fits its v1 hash or its v2 hash but not both. It cannot be downloaded; ask its maker for a correct one.`,
  ERR_TRACKER_REFUSED_HERE: (d: { url: string; reason: string }): string =>
    `${d.url} is not asked: ${d.reason}. Give a tracker of your own network with --tracker.`,
  ERR_SOURCE_CHANGED: (d: { path: string }): string =>
    `${d.path} changed while it was being sent, so the transfer has ended. Send it again when no program writes to it.`,
  ERR_SOURCE_FILE: (d: { path: string; reason: string }): string =>
    `Cannot send ${d.path}: ${d.reason}.`,
  ERR_NO_SPACE: (d: { dir: string; neededBytes: number; freeBytes: number }): string =>
    `${d.dir} has ${d.freeBytes} bytes free, and ${d.neededBytes} more are needed: free some space or choose another folder.`,
  ERR_MANIFEST: (d: { reason: string }): string =>
    `What the sender offers cannot be taken: ${d.reason}.`,
  ERR_TRANSFER_DIGEST: (d: { name: string; expected: string; got: string }): string =>
    `${d.name} came twice, and both times its SHA-256 was not the sender's (expected ${d.expected}, got ${d.got}): the memory or disk of one of the two machines makes errors. Nothing was kept.`,
  ERR_DIGEST: (d: { name: string; expected: string; got: string; fate: string }): string =>
    `${d.name} is not what --sha256 says: expected ${d.expected}, got ${d.got}. Do not trust it; ${d.fate}.`,
  ERR_STOPPED: (d: { name: string }): string => `${d.name} was stopped before it was complete.`,
  ERR_NO_DHT_NODES: (d: { seconds: number }): string =>
    `No node of the DHT answered in ${d.seconds} s: check the connection and that UDP is let through, or name a node with --bootstrap HOST:PORT.`,
  ERR_CODE: (d: { reason: string }): string =>
    `The other end did not prove that it has the same code: ${d.reason}. Compare the words; after ten wrong tries the sender needs a new code.`,
  ERR_CODE_DEAD: (d: { wrong: number }): string =>
    `The code was guessed wrong ${d.wrong} times and is of no use any more: run "starling send" again for a new one.`,
  ERR_DECLINED: (d: { peer: string }): string => `${d.peer} did not want it.`,
  ERR_CODE_NOT_FOUND: (d: { seconds: number; seen: string }): string =>
    `Nobody who sends with this code was found in ${d.seconds} s${d.seen}. Compare the words, and see that "starling send" still runs; without a DHT or a common network, give its address with --peer HOST:PORT.`,
  ERR_OFFER: (d: { peer: string; reason: string }): string =>
    `What ${d.peer} offers cannot be taken: ${d.reason}.`,
  ERR_PEER_UNREACHABLE: (d: { peer: string; tried: string }): string =>
    `No way to ${d.peer} was found (${d.tried}). Is it running, and connected? A way can be given with --peer HOST:PORT, or through a relay that both know ("starling relay").`,
  ERR_WRONG_PEER: (d: { expected: string; got: string; at: string }): string =>
    `At ${d.at} somebody else answers: expected ${d.expected}, got ${d.got}. Nothing was sent to it.`,
  ERR_CHANNEL: (d: { peer: string; reason: string }): string =>
    `The connection to ${d.peer} could not be used: ${d.reason}.`,
  ERR_PEER_REFUSED: (d: {
    peer: string;
    service: string;
    reason: string;
    /** Of REFUSALS. */
    refusal: number;
  }): string => `${d.peer} refused "${d.service}": ${d.reason}.`,
  ERR_CONFIG: (d: { what: string; expected: string; got: string }): string =>
    `${d.what}: expected ${d.expected}, got ${d.got}.`,
} as const;

/** Codes of the node's errors. */
export type NodeErrorCode = keyof typeof nodeErrorTable;

/** Makes an error of this table. */
export const nodeError: ReturnType<typeof defineErrors<typeof nodeErrorTable>> =
  defineErrors(nodeErrorTable);

const MENDS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space; the transfer goes on by itself.',
  EDQUOT: 'your quota is used up. Free some space; the transfer goes on by itself.',
  EACCES: 'permission is denied. Change its permissions or choose another folder with --dir.',
  EPERM: 'permission is denied. Change its permissions or choose another folder with --dir.',
  EROFS: 'the file system is read-only. Make it writable or choose another folder with --dir.',
  ENOENT: 'it is not there. Put it back, or run "get" to fetch it again.',
  ENOTDIR: 'a part of its path is a file, not a folder. Move that file away.',
  EISDIR: 'a folder is in its place. Move it away or choose another folder with --dir.',
  ELOOP: 'a symbolic link stands in its path. Remove the link or choose another folder with --dir.',
  EMFILE: 'too many files are open. Raise the limit ("ulimit -n").',
  ENFILE: 'too many files are open on this machine. Close some programs.',
  EBUSY: 'another program is changing it. Try again.',
  EIO: 'the disk reports an error. Check the disk.',
  ENAMETOOLONG: 'the path is too long. Choose a shorter folder with --dir.',
  TRUNCATED:
    'another program cut it. What is gone is offered to nobody: "get" fetches it again, "seed" waits until it is put back.',
  CHANGED:
    'another program changed it. What is not right is offered to nobody: "get" fetches it again, "seed" waits until it is put back.',
  VANISHED:
    'another program deleted or replaced it. What is gone is offered to nobody: "get" fetches it again, "seed" waits until it is put back.',
};

const HOME_FAULTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota is used up',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  EEXIST: 'a file is there, and a folder is expected',
  ENOTDIR: 'a file is there, and a folder is expected',
  ENOENT: 'it cannot be made there',
  EIO: 'the disk reports an error',
};

function homeFaultOf(code: string): string {
  return HOME_FAULTS[code] ?? 'the system refused';
}

function mendOf(code: string): string {
  return MENDS[code] ?? 'the system refused. Check the path and try again.';
}
