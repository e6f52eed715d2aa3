/**
 * Reading a known number of bytes off a bulk connection.
 * @module
 */
import type { DuplexConnection } from '../../io/tcp.ts';
import { concatBytes } from '../../lib/bytes.ts';

// Implementation limits
/** A connection on which nothing comes for so long is given up. */
const SILENCE_MS = 20_000;

/** The bytes, when all came. The connection is closed then. @throws when it ends early, stays silent, or brings more. */
export function readBulk(connection: DuplexConnection, lengthBytes: number): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const parts: Uint8Array[] = [];
  let count = 0;
  const fail = (reason: string): void => {
    reject(Object.assign(new Error(reason), { code: 'ERR_CHANNEL' }));
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
      if (count > lengthBytes) fail(`expected ${lengthBytes} bytes, more came`);
      if (count !== lengthBytes) return;
      resolve(concatBytes(...parts));
      connection.destroy();
    },
    onDrain: () => {},
    onClose: () => fail(`expected ${lengthBytes} bytes, the connection ended after ${count}`),
  });
  return promise.finally(() => clearTimeout(timer));
}
