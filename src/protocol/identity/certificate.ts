/**
 * Certificates that prove an identity in a TLS handshake: the key of the certificate is signed by the identity, in an extension.
 *
 * Spec: libp2p tls, "Peer Authentication"; X.509 as RFC 5280. Read strictly: one identity of the kind that this program knows, dates that hold now, its own signature,
 * no critical extension besides, no unique ids. Whether the other end owns the certificate's key is TLS's to prove.
 * Bounds: MAX_CERTIFICATE_BYTES, MAX_CERTIFICATE_NODES. Not here: keys, sockets, which identity was expected.
 * @module
 */
import * as asn1 from 'asn1js';
import { concatBytes, equalBytes } from '../../lib/bytes.ts';
import { fail, ok, type Result } from '../../lib/errors.ts';
import { parseIp } from '../../lib/ip-address.ts';
import type { Ed25519 } from '../../lib/ports.ts';
import { encodeUtf8 } from '../../lib/utf8.ts';
import { MAX_CERTIFICATE_BYTES, MAX_CERTIFICATE_NODES, PUBLIC_KEY_HEAD } from './constants.ts';
import type { IdentityErrorCode } from './errors.ts';
import { peerIdOf, publicKeyIn } from './peer-id.ts';
import { verifyStrict } from './signature-rule.ts';

// Specification constants
/** libp2p tls, "libp2p Public Key Extension". */
const IDENTITY_EXTENSION = '1.3.6.1.4.1.53594.1.1';
/** What is signed besides the certificate's key. */
const SIGNED_PREFIX = 'libp2p-tls-handshake:';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const SUBJECT_ALT_NAME = '2.5.29.17';
/** Its kinds of names. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;
/** RFC 5280 section 4.1: version 3. */
const VERSION_3 = 2;

/** What a new certificate is made of. */
export interface CertificateOptions {
  /** Of the identity: 32 bytes. */
  readonly seed: Uint8Array;
  /** The certificate's own key, P-256: its SubjectPublicKeyInfo in DER. */
  readonly keyInfo: Uint8Array;
  /** ECDSA with SHA-256 by that key, in DER. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** 8 bytes, the first below 0x80 and not 0. */
  readonly serial: Uint8Array;
}

/** Makes a certificate. @returns DER. */
export function makeCertificate(ed25519: Ed25519, options: CertificateOptions): Uint8Array {
  const publicKey = ed25519.publicKey(options.seed);
  const signature = ed25519.sign(options.seed, signedBytes(options.keyInfo));
  const signedKey = new asn1.Sequence({
    value: [octets(concatBytes(PUBLIC_KEY_HEAD, publicKey)), octets(signature)],
  });
  const extension = new asn1.Sequence({
    value: [
      new asn1.ObjectIdentifier({ value: IDENTITY_EXTENSION }),
      new asn1.Boolean({ value: true }),
      octets(new Uint8Array(signedKey.toBER())),
    ],
  });
  return signedCertificate(extension, options);
}

/**
 * Makes a certificate of an HTTPS server, signed by itself: browsers ask their user once whether to trust it.
 * @param hosts names and addresses that it is for (RFC 5280 section 4.2.1.6). @returns DER.
 */
export function makeHostCertificate(
  hosts: readonly string[],
  options: Omit<CertificateOptions, 'seed'>,
): Uint8Array {
  const names = hosts.map((host) => {
    const address = parseIp(host);
    const valueHex = address ?? encodeUtf8(host);
    const idBlock = { tagClass: 3, tagNumber: address === undefined ? DNS_NAME : IP_ADDRESS };
    return new asn1.Primitive({ idBlock, valueHex: new Uint8Array(valueHex).buffer });
  });
  const extension = new asn1.Sequence({
    value: [
      new asn1.ObjectIdentifier({ value: SUBJECT_ALT_NAME }),
      octets(new Uint8Array(new asn1.Sequence({ value: names }).toBER())),
    ],
  });
  return signedCertificate(extension, options);
}

function signedCertificate(
  extension: asn1.Sequence,
  options: Omit<CertificateOptions, 'seed'>,
): Uint8Array {
  const toBeSigned = new asn1.Sequence({
    value: [
      tagged(0, new asn1.Integer({ value: VERSION_3 })),
      new asn1.Integer({ valueHex: options.serial }),
      algorithm(),
      nobody(),
      new asn1.Sequence({ value: [time(options.notBeforeMs), time(options.notAfterMs)] }),
      nobody(),
      asn1.fromBER(options.keyInfo.slice()).result,
      tagged(3, new asn1.Sequence({ value: [extension] })),
    ],
  });
  const signed = options.sign(new Uint8Array(toBeSigned.toBER()));
  const certificate = new asn1.Sequence({
    value: [toBeSigned, algorithm(), new asn1.BitString({ valueHex: signed })],
  });
  return new Uint8Array(certificate.toBER());
}

/** What reading a certificate needs from its surroundings. */
export interface CertificatePorts {
  readonly ed25519: Ed25519;
  /** True when the certificate is signed by the key in it. False also for what is no certificate. */
  readonly isSelfSigned: (certificate: Uint8Array) => boolean;
}

/** Reads the certificate that the other end of a TLS connection showed. @param nowMs since 1970. @returns the peer id that it proves, 38 bytes. */
export function readCertificate(
  ports: CertificatePorts,
  nowMs: number,
  der: Uint8Array,
): Result<Uint8Array, IdentityErrorCode> {
  if (der.length > MAX_CERTIFICATE_BYTES) return wrong(`${der.length} bytes`);
  const parts = partsOf(der);
  if (typeof parts === 'string') return wrong(parts);
  if (nowMs < parts.notBeforeMs || nowMs > parts.notAfterMs) {
    const [from, to] = [parts.notBeforeMs, parts.notAfterMs].map((ms) =>
      new Date(ms).toISOString(),
    );
    return wrong(`one that holds from ${from} to ${to} (is the clock of this machine right?)`);
  }
  if (!ports.isSelfSigned(der)) return wrong('one whose own signature is wrong');
  const { publicKey, signature } = parts;
  const isKnownKind = equalBytes(publicKey.subarray(0, PUBLIC_KEY_HEAD.length), PUBLIC_KEY_HEAD);
  const key = publicKey.subarray(PUBLIC_KEY_HEAD.length);
  if (!isKnownKind || key.length !== 32) {
    return fail('ERR_PEER_ID_KIND', 'expected an identity with an Ed25519 key, got another kind');
  }
  if (!verifyStrict(ports.ed25519, key, signedBytes(parts.keyInfo), signature)) {
    return wrong('one that the identity in it did not sign');
  }
  const peerId = peerIdOf(key);
  const strict = publicKeyIn(peerId);
  return strict.ok ? ok(peerId) : strict;
}

function wrong(got: string): Result<never, IdentityErrorCode> {
  return fail('ERR_CERTIFICATE', `expected a certificate that proves an identity, got ${got}`);
}

function signedBytes(keyInfo: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8(SIGNED_PREFIX), keyInfo);
}

interface Parts {
  readonly keyInfo: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** @returns what came instead, when it is no such certificate. */
function partsOf(der: Uint8Array): Parts | string {
  const root = parse(der);
  const [toBeSigned] = childrenOf(root) ?? [];
  const fields = childrenOf(toBeSigned);
  if (fields === undefined || childrenOf(root)?.length !== 3) return 'other bytes';
  const [version, , , , validity, , key] = fields;
  const [from, to] = childrenOf(validity) ?? [];
  const [notBeforeMs, notAfterMs] = [timeOf(from), timeOf(to)];
  const isVersion3 = integerOf(childrenOf(version)?.[0]) === VERSION_3;
  if (!isVersion3 || key === undefined) return 'one of another version';
  if (notBeforeMs === undefined || notAfterMs === undefined) return 'one without dates';
  // Seven fields are there always; unique ids would stand between them and the extensions.
  const rest = fields.slice(7);
  if (rest.length !== 1 || tagOf(rest[0]) !== 3)
    return 'one without extensions, or with unique ids';
  const signedKey = identityIn(childrenOf(childrenOf(rest[0])?.[0]));
  if (typeof signedKey === 'string') return signedKey;
  return { keyInfo: bytesOf(key), notBeforeMs, notAfterMs, ...signedKey };
}

function identityIn(
  extensions: readonly asn1.BaseBlock[] | undefined,
): { publicKey: Uint8Array; signature: Uint8Array } | string {
  let found: asn1.BaseBlock | undefined;
  for (const extension of extensions ?? []) {
    const fields = childrenOf(extension) ?? [];
    const [oid, second] = fields;
    if (!(oid instanceof asn1.ObjectIdentifier)) return 'an extension without a name';
    if (oid.getValue() === IDENTITY_EXTENSION) {
      if (found !== undefined) return 'one with two identities';
      found = fields.at(-1);
    } else if (second instanceof asn1.Boolean && second.getValue()) {
      return `the critical extension ${oid.getValue()}, which is unknown here`;
    }
  }
  if (found === undefined) return 'one without an identity';
  const inner = octetsOf(found);
  const [publicKey, signature] = (childrenOf(inner && parse(inner)) ?? []).map(octetsOf);
  if (publicKey === undefined || signature === undefined) return 'an identity in another form';
  return { publicKey, signature };
}

/** @returns undefined for anything but one element that fills all bytes. */
function parse(bytes: Uint8Array): asn1.BaseBlock | undefined {
  try {
    const { offset, result } = asn1.fromBER(bytes.slice(), {
      maxNodes: MAX_CERTIFICATE_NODES,
      maxContentLength: MAX_CERTIFICATE_BYTES,
      maxDepth: 16,
    });
    return offset === bytes.length ? result : undefined;
  } catch {
    return undefined;
  }
}

function childrenOf(block: asn1.BaseBlock | undefined): readonly asn1.BaseBlock[] | undefined {
  return block instanceof asn1.Constructed || block instanceof asn1.Sequence
    ? block.valueBlock.value
    : undefined;
}

/** The number of a context tag. */
function tagOf(block: asn1.BaseBlock | undefined): number | undefined {
  return block?.idBlock.tagClass === 3 ? block.idBlock.tagNumber : undefined;
}

function integerOf(block: asn1.BaseBlock | undefined): number | undefined {
  return block instanceof asn1.Integer ? block.valueBlock.valueDec : undefined;
}

function octetsOf(block: asn1.BaseBlock | undefined): Uint8Array | undefined {
  if (!(block instanceof asn1.OctetString) || block.idBlock.isConstructed) return undefined;
  return new Uint8Array(block.getValue());
}

function timeOf(block: asn1.BaseBlock | undefined): number | undefined {
  const isTime = block instanceof asn1.UTCTime || block instanceof asn1.GeneralizedTime;
  const ms = isTime ? block.toDate().getTime() : Number.NaN;
  return Number.isFinite(ms) ? ms : undefined;
}

/** The element as it came. */
function bytesOf(block: asn1.BaseBlock): Uint8Array {
  return block.valueBeforeDecodeView.slice();
}

function octets(bytes: Uint8Array): asn1.OctetString {
  return new asn1.OctetString({ valueHex: bytes.slice() });
}

function tagged(tagNumber: number, inner: asn1.BaseBlock): asn1.Constructed {
  return new asn1.Constructed({ idBlock: { tagClass: 3, tagNumber }, value: [inner] });
}

function algorithm(): asn1.Sequence {
  return new asn1.Sequence({ value: [new asn1.ObjectIdentifier({ value: ECDSA_WITH_SHA256 })] });
}

/** Issuer and subject: the identity says who it is, so this says nothing. */
function nobody(): asn1.Sequence {
  const name = new asn1.Sequence({
    value: [
      new asn1.ObjectIdentifier({ value: COMMON_NAME }),
      new asn1.Utf8String({ value: 'p2p' }),
    ],
  });
  return new asn1.Sequence({ value: [new asn1.Set({ value: [name] })] });
}

/** RFC 5280 section 4.1.2.5: years through 2049 have two digits. */
function time(ms: number): asn1.BaseBlock {
  const valueDate = new Date(Math.floor(ms / 1000) * 1000);
  return valueDate.getUTCFullYear() < 2050
    ? new asn1.UTCTime({ valueDate })
    : new asn1.GeneralizedTime({ valueDate });
}
