/**
 * Web seeds from both ends: requests to ours, answers of others. Each input is lines: a target, a method, a status, then headers.
 * @module
 */
import { fromLatin1, toLatin1 } from '../../src/lib/bytes.ts';
import { MAX_SKIP_BYTES } from '../../src/protocol/web-seed/constants.ts';
import {
  type AnswerHeaders,
  answerFile,
  judgeAnswer,
  rangeHeader,
  requestedPath,
} from '../../src/protocol/web-seed/index.ts';

const FILE = { lengthBytes: 1_000_003, etag: '"abc-0"' };

function fuzz(bytes: Uint8Array): void {
  const [target = '', method = 'GET', status = '', ...lines] = toLatin1(bytes).split('\n');
  const headers: Record<string, string> = {};
  for (const line of lines.slice(0, 16)) {
    const at = line.indexOf(':');
    if (at > 0) headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim();
  }
  checkPath(target);
  checkServing(method, headers);
  checkFetching(Number.parseInt(status, 10) || 206, headers, bytes.length);
}

/** A path that is looked up is no path of the disk, but it must at least be text without surprises in its parts. */
function checkPath(target: string): void {
  const path = requestedPath(target);
  if (path === undefined) return;
  if (path.length > 4_096) throw new Error(`a path of ${path.length} characters`);
  if (path.startsWith('/') && !target.includes('//')) throw new Error('a path from the root');
}

/** The bytes of an answer lie within the file, the headers say which, and our own client understands them. */
function checkServing(method: string, headers: AnswerHeaders): void {
  const answer = answerFile({ method, headers }, FILE);
  const { offsetBytes, lengthBytes } = answer;
  if (!Number.isSafeInteger(offsetBytes) || !Number.isSafeInteger(lengthBytes)) {
    throw new Error(`no integers: ${offsetBytes}, ${lengthBytes}`);
  }
  if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > FILE.lengthBytes) {
    throw new Error(`beyond the file: ${offsetBytes} + ${lengthBytes}`);
  }
  if (answer.status !== 206 || lengthBytes === 0) return;
  const asked = { offsetBytes, lengthBytes, fileBytes: FILE.lengthBytes };
  const judged = judgeAnswer(206, answer.headers, asked);
  if (judged.kind !== 'body') throw new Error(`our own answer is refused: ${judged.kind}`);
  const again = answerFile({ method: 'GET', headers: { range: rangeHeader(asked) } }, FILE);
  if (again.offsetBytes !== offsetBytes || again.lengthBytes !== lengthBytes) {
    throw new Error('the range that was answered, asked for, gives another one');
  }
}

/** A body is taken only where the bytes that were asked for must lie in it, after a bounded number of others. */
function checkFetching(status: number, headers: AnswerHeaders, salt: number): void {
  const offsetBytes = (salt * 7_919) % 900_000;
  const asked = { offsetBytes, lengthBytes: 65_536, fileBytes: FILE.lengthBytes };
  const answer = judgeAnswer(status, headers, asked);
  if (answer.kind !== 'body') {
    if (answer.message === '' || answer.message.length > 200) throw new Error(answer.message);
    return;
  }
  if (answer.skipBytes > MAX_SKIP_BYTES) throw new Error(`skips ${answer.skipBytes} bytes`);
  if (status === 200 ? answer.skipBytes !== offsetBytes : answer.skipBytes !== 0) {
    throw new Error(`skips ${answer.skipBytes} bytes before ${offsetBytes}`);
  }
}

/** The target. */
export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'web-seed',
  seeds: [
    '/a/b%20c?x#y\nGET\n206\nRange: bytes=0-99\nContent-Range: bytes 0-65535/1000003\nContent-Length: 65536',
    'http://h/a\nHEAD\n200\nRange: bytes=-1\nContent-Length: 1000003\nContent-Encoding: gzip',
    '/..%2f..%2fetc\nGET\n416\nRange: bytes=1000002-\nIf-Range: "abc-0"\nIf-None-Match: W/"abc-0", *',
    '/\nPOST\n503\nRange: bytes=5-3,1-2\nRetry-After: 9',
  ].map(fromLatin1),
  run: fuzz,
};
