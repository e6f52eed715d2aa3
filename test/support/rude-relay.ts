/**
 * A relay that does not only pass bytes on: a real one behind a proxy that spoils what it is told to.
 * @module
 */
import { once } from 'node:events';
import net from 'node:net';
import type { RelayHint } from '../../src/node/channel/channel-service.ts';
import type { TestBed } from './cli-child.ts';
import { openParty } from './parties.ts';

/** "S", with which a connection that is to be passed on begins (docs/protocol). */
const PREFACE = 0x53;

/** What becomes of bytes on their way to the one who dialled: others, or none, or the end of the connection. */
export type Spoil = (bytes: Buffer, atByte: number) => Buffer | undefined | 'cut';

/** Starts one. @param spoil for connections that are passed on; those with the relay itself are left alone. */
export async function openRudeRelay(
  bed: TestBed,
  spoil: Spoil,
): Promise<{ hint: RelayHint; honest: RelayHint }> {
  const { node, peerId } = await openParty(bed);
  node.serveAsRelay({ serves: () => true });
  const sockets = new Set<net.Socket>();
  const server = net.createServer((from) => {
    const to = net.connect(node.endpoint.port, '127.0.0.1');
    let isRelayed: boolean | undefined;
    let at = 0;
    from.on('data', (bytes: Buffer) => {
      isRelayed ??= bytes[0] === PREFACE;
      to.write(bytes);
    });
    to.on('data', (bytes: Buffer) => {
      // The relay's own word that the other end is there comes first.
      const passed = isRelayed === true ? spoil(Buffer.from(bytes), at) : bytes;
      at += bytes.length;
      if (passed === 'cut') from.destroy();
      else if (passed !== undefined) from.write(passed);
    });
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  bed.onEnd(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as net.AddressInfo;
  return {
    hint: { peerId, addresses: [{ host: '127.0.0.1', port }] },
    honest: { peerId, addresses: [node.endpoint] },
  };
}
