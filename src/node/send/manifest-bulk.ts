/**
 * Reading a known number of bytes off a bulk connection.
 * @module
 */
import type { DuplexConnection } from '../../io/tcp.ts';
import { concatBytes } from '../../lib/bytes.ts';
import { nodeError } from '../errors.ts';

// Implementation limits
/** A connection on which nothing comes for so long is given up. */
const SILENCE_MS = 20_000;

/**
 * The bytes, when all came. The connection is closed then. @param peer whose it is.
 * @throws {AppError} ERR_CHANNEL when it ends early or stays silent, ERR_OFFER when it brings more.
 */
export function readBulk(
  connection: DuplexConnection,
  lengthBytes: number,
  peer: string,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const parts: Uint8Array[] = [];
  let count = 0;
  const fail = (reason: string, code: 'ERR_CHANNEL' | 'ERR_OFFER' = 'ERR_CHANNEL'): void => {
    reject(nodeError(code, { peer, reason }));
    connection.destroy();
  };
  const silent = (): void => fail(`nothing came for ${SILENCE_MS} ms`);
  let timer = setTimeout(silent, SILENCE_MS);
  connection.attach({
    onData: (bytes) => {
      clearTimeout(timer);
      timer = setTimeout(silent, SILENCE_MS);
      parts.push(Uint8Array.from(bytes));
      count += bytes.length;
      // No broken connection, but a lie: it is not tried again.
      if (count > lengthBytes) {
        fail(`its list of files has ${lengthBytes} bytes, and more came`, 'ERR_OFFER');
      }
      if (count !== lengthBytes) return;
      resolve(concatBytes(...parts));
      connection.destroy();
    },
    onDrain: () => {},
    onClose: () => fail(`expected ${lengthBytes} bytes, the connection ended after ${count}`),
  });
  return promise.finally(() => clearTimeout(timer));
}
