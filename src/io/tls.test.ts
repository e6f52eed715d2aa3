import assert from 'node:assert/strict';
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import tls from 'node:tls';
import { makeCertificate } from '../protocol/identity/certificate.ts';
import { nodeEd25519 } from './crypto.ts';
import { dialTcp, listenTcp, type TcpConnection } from './tcp.ts';
import {
  newCertificateKey,
  readsIntoSharedBuffer,
  secureTcp,
  type TlsCredentials,
  type TlsPeer,
} from './tls.ts';

const DAY_MS = 86_400_000;

function credentials(): TlsCredentials {
  const key = newCertificateKey();
  const certificate = makeCertificate(nodeEd25519, {
    seed: new Uint8Array(randomBytes(32)),
    keyInfo: key.keyInfo,
    sign: (bytes) => key.sign(bytes),
    notBeforeMs: Date.now() - DAY_MS,
    notAfterMs: Date.now() + DAY_MS,
    serial: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  });
  return key.credentials(certificate);
}

/** A key and a certificate for Node's own client. */
function credentialsInPem(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = makeCertificate(nodeEd25519, {
    seed: new Uint8Array(randomBytes(32)),
    keyInfo: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    sign: (bytes) => new Uint8Array(createSign('sha256').update(bytes).sign(privateKey)),
    notBeforeMs: Date.now() - DAY_MS,
    notAfterMs: Date.now() + DAY_MS,
    serial: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  });
  const body = Buffer.from(der).toString('base64');
  const cert = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}

/** Listens, takes the first bytes as a node does, and secures what came. */
async function serve(onPeer: (peer: Promise<TlsPeer>) => void, protocols = ['test/1']) {
  const mine = credentials();
  return await listenTcp({
    host: '127.0.0.1',
    port: 0,
    onConnection: (connection) => {
      connection.attach({
        onData: (early) =>
          onPeer(secureTcp(connection, { isServer: true, credentials: mine, protocols, early })),
        onDrain: () => {},
        onClose: () => {},
      });
    },
  });
}

function hashing(connection: TcpConnection, expectedBytes: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const hash = createHash('sha256');
  let count = 0;
  connection.attach({
    onData: (bytes) => {
      hash.update(bytes);
      count += bytes.length;
      // Reading stops now and then, as when a disk is behind.
      if (count % 7 === 0) {
        connection.pause();
        setImmediate(() => connection.resume());
      }
      if (count >= expectedBytes) resolve(hash.digest('hex'));
    },
    onDrain: () => {},
    onClose: (error) => reject(error ?? new Error(`closed after ${count} bytes`)),
  });
  return promise;
}

/** Passes bytes on, and changes one bit of those to one end. */
async function startFlipper(
  port: number,
  side: 'client' | 'server',
  place: number,
): Promise<{ port: number; close: () => void }> {
  const proxy = net.createServer((from) => {
    const to = net.connect(port, '127.0.0.1');
    const pass = (one: net.Socket, other: net.Socket, isFlipped: boolean): void => {
      let at = 0;
      one.on('data', (bytes: Buffer) => {
        if (isFlipped && place >= at && place < at + bytes.length) bytes[place - at]! ^= 1;
        at += bytes.length;
        other.write(bytes);
      });
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    };
    pass(from, to, side === 'server');
    pass(to, from, side === 'client');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { port: (proxy.address() as net.AddressInfo).port, close: () => proxy.close() };
}

describe('TLS over TCP', () => {
  it('carries bytes both ways, knows the protocol, and both ends have one binding', async () => {
    const { promise: accepted, resolve } = Promise.withResolvers<TlsPeer>();
    const listener = await serve(resolve);
    const raw = await dialTcp(listener.endpoint);
    const client = await secureTcp(raw, {
      isServer: false,
      credentials: credentials(),
      protocols: ['test/1'],
    });
    const server = await await accepted;
    assert.equal(client.protocol, 'test/1');
    assert.equal(server.protocol, 'test/1');
    assert.deepEqual(client.binding, server.binding);
    assert.equal(client.binding.length, 32);
    const up = randomBytes(9_000_001);
    const down = randomBytes(5_000_003);
    const atServer = hashing(server.connection, up.length);
    const atClient = hashing(client.connection, down.length);
    for (let at = 0; at < up.length; at += 65_537)
      client.connection.write(up.subarray(at, at + 65_537));
    server.connection.write(down);
    assert.equal(await atServer, createHash('sha256').update(up).digest('hex'));
    assert.equal(await atClient, createHash('sha256').update(down).digest('hex'));
    client.connection.destroy();
    await listener.close();
  });

  for (const side of ['client', 'server'] as const) {
    it(`ends a connection whose bytes to the ${side} were changed on the way, and delivers nothing of them`, async () => {
      const { promise: accepted, resolve } = Promise.withResolvers<TlsPeer>();
      const listener = await serve(resolve);
      const proxy = await startFlipper(listener.endpoint.port, side, 20_000);
      const raw = await dialTcp({ host: '127.0.0.1', port: proxy.port });
      const options = { isServer: false, credentials: credentials(), protocols: ['test/1'] };
      const client = await secureTcp(raw, options);
      const server = await await accepted;
      const sent = randomBytes(60_000);
      const [to, from] = side === 'client' ? [client, server] : [server, client];
      const came: Buffer[] = [];
      const closed = new Promise<Error | undefined>((end) => {
        const onData = (bytes: Buffer): void => void came.push(Buffer.from(bytes));
        to.connection.attach({ onData, onDrain: () => {}, onClose: end });
      });
      from.connection.attach({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
      from.connection.write(sent);
      assert.match(String((await closed)?.message), /bad record mac/);
      const got = Buffer.concat(came);
      assert.ok(got.length < 20_000 && got.equals(sent.subarray(0, got.length)));
      proxy.close();
      await listener.close();
    });
  }

  it('decrypts into the shared buffer on this Node', async () => {
    assert.ok(readsIntoSharedBuffer(new tls.TLSSocket(new net.Socket())));
  });

  const refused = async (
    code: string,
    connect: (port: number) => tls.TLSSocket | net.Socket,
  ): Promise<void> => {
    const { promise: accepted, resolve } = Promise.withResolvers<TlsPeer>();
    const listener = await serve(resolve);
    const socket = connect(listener.endpoint.port);
    socket.on('error', () => {});
    await assert.rejects(accepted, (error: Error & { code: string }) => {
      assert.match(error.code, new RegExp(code), error.message);
      return true;
    });
    socket.destroy();
    await listener.close();
  };

  const { key, cert } = credentialsInPem();
  const options = { host: '127.0.0.1', rejectUnauthorized: false };
  const ALPNProtocols = ['test/1'];

  it('refuses a client without ALPN, which Node lets in', () =>
    refused('ERR_TLS_ALPN', (port) => tls.connect({ ...options, port, key, cert })));

  it('refuses a client with another protocol', () =>
    refused('ALPN|NO_APPLICATION_PROTOCOL', (port) =>
      tls.connect({ ...options, port, key, cert, ALPNProtocols: ['h2'] }),
    ));

  it('refuses a client without a certificate', () =>
    refused('ERR_TLS_NO_CERTIFICATE', (port) => tls.connect({ ...options, port, ALPNProtocols })));

  it('refuses a client that shows two certificates', () =>
    refused('ERR_TLS_CHAIN', (port) =>
      tls.connect({ ...options, port, key, cert: cert + cert, ALPNProtocols }),
    ));

  it('refuses TLS 1.2', () =>
    refused('ERR_SSL', (port) =>
      tls.connect({ ...options, port, key, cert, ALPNProtocols, maxVersion: 'TLSv1.2' }),
    ));

  it('refuses what is no TLS', () =>
    refused('ERR_SSL|ECONNRESET', (port) => {
      const socket = net.connect(port, '127.0.0.1', () =>
        socket.write('\x16 not a handshake at all'),
      );
      return socket;
    }));
});
