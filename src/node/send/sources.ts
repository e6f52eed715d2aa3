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

/** A message. The same message is the same file, so that sending it again goes on with it. */
export async function textSource(home: string, text: string): Promise<OwnSource> {
  const name = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const file = fileOf(home, `text-${name}`);
  writeFileSync(file, text, { mode: FILE_MODE });
  return {
    source: await walkSource(file, { kind: 'text', name: 'message' }),
    remove: () => rmSync(file, { force: true }),
  };
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
