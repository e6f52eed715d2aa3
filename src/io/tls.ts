/**
 * TLS 1.3 over a TCP connection that is open already: mutual, with certificates that only our own code judges, and a protocol chosen by ALPN.
 *
 * Spec: RFC 8446, RFC 7301 (ALPN), RFC 8446 section 7.5 (exporters). No earlier version, no resumption, no tickets, no name of a server (SNI).
 * Nothing is delivered before the owner attaches, so a certificate can be judged first.
 * Node gives decrypted bytes in buffers of their own; here they land in the one that all connections share, where Node's internals allow it
 * (`readsIntoSharedBuffer` tells, and a test watches it): 1.5 GiB took 0.35 instead of 0.9–1.1 CPU-s at the receiver, at twice the rate.
 * Not here: what a certificate must hold (src/protocol/identity), how many handshakes are allowed.
 * @module
 */
import { constants, createSign, generateKeyPairSync, X509Certificate } from 'node:crypto';
import type net from 'node:net';
import { setImmediate } from 'node:timers/promises';
import tls from 'node:tls';
import { sharedReadBuffer, TcpConnection } from './tcp.ts';

// Specification constants
const TLS_VERSION = 'TLSv1.3';
const EXPORTER_LABEL = 'EXPORTER-starling-channel';
const BINDING_BYTES = 32;

// Implementation limits
/** From the first byte to the end of a handshake. */
export const TLS_HANDSHAKE_TIMEOUT_MS = 10_000;

/** A key made for certificates; it never leaves the process. */
export interface CertificateKey {
  /** SubjectPublicKeyInfo in DER. */
  readonly keyInfo: Uint8Array;
  /** ECDSA with SHA-256, in DER. */
  sign(bytes: Uint8Array): Uint8Array;
  /** What TLS needs to show a certificate with this key. @param certificate DER. */
  credentials(certificate: Uint8Array): TlsCredentials;
}

/** What an end of a connection shows. */
export interface TlsCredentials {
  /** @internal */
  readonly context: tls.SecureContext;
}

/** A new P-256 key. */
export function newCertificateKey(): CertificateKey {
  const { pem, ...key } = newStoredKey();
  return {
    ...key,
    credentials: (certificate) => {
      const context = tls.createSecureContext({
        key: pem,
        cert: certificatePem(certificate),
        minVersion: TLS_VERSION,
        maxVersion: TLS_VERSION,
        secureOptions: constants.SSL_OP_NO_TICKET,
      });
      return { context };
    },
  };
}

/** A new P-256 key for a certificate that is kept in files. */
export function newStoredKey(): Omit<CertificateKey, 'credentials'> & { readonly pem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keyInfo: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    sign: (bytes) => new Uint8Array(createSign('sha256').update(bytes).sign(privateKey)),
    pem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
}

/** A certificate in the form of files. @param certificate DER. */
export function certificatePem(certificate: Uint8Array): string {
  const base64 = Buffer.from(certificate).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

/** True when a certificate is signed by its own key. */
export function isSelfSigned(certificate: Uint8Array): boolean {
  try {
    const read = new X509Certificate(certificate);
    return read.verify(read.publicKey);
  } catch {
    return false;
  }
}

/** Options of `secureTcp`. */
export interface TlsOptions {
  readonly isServer: boolean;
  readonly credentials: TlsCredentials;
  /** ALPN tokens: a server takes the first of its own that the client knows. */
  readonly protocols: readonly string[];
  /** Bytes that were read from the connection already. */
  readonly early?: Uint8Array;
  /** Default: TLS_HANDSHAKE_TIMEOUT_MS. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A connection after its handshake; the certificate is shown, not judged. */
export interface TlsPeer {
  readonly connection: TcpConnection;
  /** The ALPN token that both know. */
  readonly protocol: string;
  /** The other end's certificate, DER. */
  readonly certificate: Uint8Array;
  /** 32 bytes that only these two ends of this connection know (RFC 8446 section 7.5). */
  readonly binding: Uint8Array;
}

/** Codes of handshakes that this program refuses, besides those of the system and of OpenSSL. */
export type TlsErrorCode =
  /** The other end named no protocol that both know. */
  | 'ERR_TLS_ALPN'
  /** It showed several certificates. */
  | 'ERR_TLS_CHAIN'
  /** It showed none. */
  | 'ERR_TLS_NO_CERTIFICATE'
  /** It took up an earlier session, whose certificate nobody sees. */
  | 'ERR_TLS_RESUMED';

/** Why there is no secure connection. `code` is the system's, OpenSSL's or one of ours. */
export class TlsError extends Error {
  readonly code: string;
  constructor(code: TlsErrorCode | (string & {}), message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'TlsError';
    this.code = code;
  }
}

/** Does the handshake on a connection, which belongs to TLS from then on. @throws {TlsError}; the connection is closed then. */
export async function secureTcp(connection: TcpConnection, options: TlsOptions): Promise<TlsPeer> {
  const raw = connection.release();
  if (options.early !== undefined && options.early.length > 0) {
    const early = options.early.slice();
    // They came in a read that is still under way, and TLS takes the place of its reader.
    await setImmediate();
    if (raw.destroyed) throw closedEarly();
    raw.unshift(early);
  }
  const { context: secureContext } = options.credentials;
  const common = {
    secureContext,
    ALPNProtocols: [...options.protocols],
    rejectUnauthorized: false,
  };
  const socket = options.isServer
    ? new tls.TLSSocket(raw, { ...common, isServer: true, requestCert: true })
    : tls.connect({ ...common, socket: raw });
  try {
    await handshake(socket, options);
    const peer = describe(socket);
    return { ...peer, connection: new TlsConnection(socket, connection) };
  } catch (error) {
    socket.on('error', () => {});
    socket.destroy();
    raw.destroy();
    throw error;
  }
}

function handshake(socket: tls.TLSSocket, options: TlsOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timeoutMs = options.timeoutMs ?? TLS_HANDSHAKE_TIMEOUT_MS;
  const timer = setTimeout(() => {
    reject(new TlsError('ETIMEDOUT', `expected a TLS handshake, none ended in ${timeoutMs} ms`));
  }, timeoutMs);
  const onAbort = (): void => reject(options.signal?.reason);
  const onError = (error: NodeJS.ErrnoException): void => {
    reject(new TlsError(error.code ?? 'EPROTO', error.message, error));
  };
  const onClose = (): void => reject(closedEarly());
  options.signal?.addEventListener('abort', onAbort, { once: true });
  socket.on('error', onError);
  socket.once('close', onClose);
  socket.once(options.isServer ? 'secure' : 'secureConnect', resolve);
  if (options.signal?.aborted === true) onAbort();
  return promise.finally(() => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
    socket.off('close', onClose);
    socket.off('error', onError);
  });
}

function closedEarly(): TlsError {
  return new TlsError('ECONNRESET', 'the connection was closed during the TLS handshake');
}

function describe(socket: tls.TLSSocket): Omit<TlsPeer, 'connection'> {
  const protocol = socket.alpnProtocol;
  // Node lets a client without ALPN in.
  if (typeof protocol !== 'string' || protocol === '') {
    throw new TlsError('ERR_TLS_ALPN', 'expected a protocol that both ends know (ALPN), got none');
  }
  if (socket.isSessionReused()) {
    throw new TlsError('ERR_TLS_RESUMED', 'expected a full TLS handshake, got a resumed session');
  }
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    throw new TlsError('ERR_TLS_NO_CERTIFICATE', 'expected a certificate, got none');
  }
  if (certificate.issuerCertificate !== undefined) {
    throw new TlsError('ERR_TLS_CHAIN', 'expected one certificate, got several');
  }
  const binding = socket.exportKeyingMaterial(BINDING_BYTES, EXPORTER_LABEL, Buffer.alloc(0));
  return { protocol, certificate: certificate.raw, binding: new Uint8Array(binding) };
}

/** What Node keeps of user buffers in a socket. */
interface UserBufferSlots {
  [slot: symbol]: unknown;
}

interface UserBufferHandle {
  useUserBuffer?: (buffer: Uint8Array) => void;
}

class TlsConnection extends TcpConnection {
  readonly #tls: tls.TLSSocket;
  #isReading = false;

  constructor(socket: tls.TLSSocket, below: TcpConnection) {
    super(socket, below.remote);
    this.#tls = socket;
    // A record that was tampered with: Node's own servers and clients hear of it, a socket that was wrapped by hand would wait for ever.
    socket.on('_tlsError', (error: Error) => socket.destroy(error));
  }

  /** Reading starts with the first owner. */
  override attach(handlers: Parameters<TcpConnection['attach']>[0]): void {
    super.attach(handlers);
    if (this.#isReading) return;
    this.#isReading = true;
    // Not in the middle of the owner's own words.
    setImmediate().then(() => this.#read());
  }

  #read(): void {
    this.#deliverBuffered();
    if (!readIntoSharedBuffer(this.#tls, (bytes) => this.deliver(bytes))) {
      this.#tls.on('data', (bytes: Buffer) => this.deliver(bytes));
    } else if (this.isHeld) this.#tls.pause();
    else this.#tls.resume();
  }

  /** What was decrypted before somebody wanted it. */
  #deliverBuffered(): void {
    for (let bytes = this.#tls.read() as Buffer | null; bytes !== null; bytes = this.#tls.read()) {
      this.deliver(bytes);
    }
  }
}

/** Has decrypted bytes land in the shared buffer. @returns false where Node's internals are others: nothing was changed then. */
function readIntoSharedBuffer(socket: tls.TLSSocket, deliver: (bytes: Buffer) => void): boolean {
  const slots = userBufferSlots(socket);
  const { _handle: handle } = socket as unknown as { _handle: UserBufferHandle | null };
  if (slots === undefined || handle?.useUserBuffer === undefined) return false;
  const inside = socket as unknown as UserBufferSlots;
  inside[slots.buffer] = sharedReadBuffer;
  inside[slots.callback] = (length: number, buffer: Buffer): boolean => {
    deliver(buffer.subarray(0, length));
    return true;
  };
  handle.useUserBuffer(sharedReadBuffer);
  return true;
}

/** True when decrypted bytes need no buffers of their own on this Node. */
export function readsIntoSharedBuffer(socket: net.Socket): boolean {
  return userBufferSlots(socket) !== undefined;
}

function userBufferSlots(socket: net.Socket): { buffer: symbol; callback: symbol } | undefined {
  const symbols = Object.getOwnPropertySymbols(socket);
  const buffer = symbols.find(({ description }) => description === 'kBuffer');
  const callback = symbols.find(({ description }) => description === 'kBufferCb');
  return buffer === undefined || callback === undefined ? undefined : { buffer, callback };
}
