/**
 * The first bytes of an incoming bulk connection: whom it is for.
 * @module
 */
import { concatBytes } from '../../lib/bytes.ts';
import { readBulkHeader } from '../../protocol/channel/index.ts';
import type { ProvenConnection, Received } from './types.ts';

// Implementation limits
/** How long a header may take. */
const HEADER_TIMEOUT_MS = 10_000;

/** Reads the header, then gives the connection on; what came behind the header is delivered to whoever attached by then. Resolves when it is read, or will not come. */
export function takeBulkHeader(
  proven: ProvenConnection,
  onHeader: (received: Received) => void,
): Promise<void> {
  const { connection } = proven;
  const { promise, resolve } = Promise.withResolvers<void>();
  let read: Uint8Array = new Uint8Array();
  const timer = setTimeout(() => connection.destroy(), HEADER_TIMEOUT_MS);
  connection.attach({
    onData: (bytes) => {
      read = concatBytes(read, bytes);
      const header = readBulkHeader(read);
      if (header === undefined) return;
      clearTimeout(timer);
      resolve();
      if (!header.ok) {
        connection.destroy();
        return;
      }
      const rest = read.slice(header.value.takenBytes);
      onHeader(header.value.header);
      if (rest.length > 0) connection.deliver(Buffer.from(rest));
    },
    onDrain: () => {},
    onClose: () => {
      clearTimeout(timer);
      resolve();
    },
  });
  return promise;
}
