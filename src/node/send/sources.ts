/**
 * What is sent and is no file yet: a message, and what comes by stdin. Both become a file in the node's home first, for as long as they are sent.
 * @module
 */

import { createHash } from 'node:crypto';
import { createWriteStream, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { makeFolder } from '../../io/make-folder.ts';
import { type TransferSource, walkSource } from '../transfer-source.ts';

/** A source that lies in a file of ours. */
export interface OwnSource {
  readonly source: TransferSource;
  /** Removes the file. */
  remove(): void;
}

const FILE_MODE = 0o600;

/** Files of messages that this process is sending. */
const messages = new Set<string>();

/** A message. The same message is the same file, so that sending it again goes on with it; while it is being sent, another. */
export async function textSource(home: string, text: string): Promise<OwnSource> {
  const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
  let file = fileOf(home, `text-${name}`);
  for (let count = 1; messages.has(file); count += 1) file = fileOf(home, `text-${name}-${count}`);
  messages.add(file);
  const remove = (): void => {
    rmSync(file, { force: true });
    messages.delete(file);
  };
  try {
    writeFileSync(file, text, { mode: FILE_MODE });
    return { source: await walkSource(file, { kind: 'text', name: 'message' }), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** All of a stream. @param name what the receiver is told. @throws the stream's or the system's error. */
export async function spoolStream(
  home: string,
  stream: Readable,
  name: string,
): Promise<OwnSource> {
  const file = fileOf(home, `stream-${process.pid}-${Date.now()}`);
  const remove = (): void => rmSync(file, { force: true });
  try {
    await pipeline(stream, createWriteStream(file, { mode: FILE_MODE }));
    return { source: await walkSource(file, { kind: 'stream', name }), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function fileOf(home: string, name: string): string {
  const folder = path.join(home, 'outgoing');
  makeFolder(folder, 0o700);
  return path.join(folder, name);
}
