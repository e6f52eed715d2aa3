/** Conformance: libp2p tls, a test per sentence on certificates, the sentence in its title. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import * as asn1 from 'asn1js';
import { nodeEd25519 } from '../../src/io/crypto.ts';
import { isSelfSigned, newCertificateKey } from '../../src/io/tls.ts';
import { concatBytes, fromHex } from '../../src/lib/bytes.ts';
import {
  type CertificateOptions,
  makeCertificate,
  readCertificate,
} from '../../src/protocol/identity/certificate.ts';
import { formatPeerId, peerIdOf } from '../../src/protocol/identity/index.ts';
import { VECTORS } from './libp2p-tls-vectors.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const DAY_MS = 86_400_000;
const ports = { ed25519: nodeEd25519, isSelfSigned };
const read = (der: Uint8Array, nowMs = NOW) => readCertificate(ports, nowMs, der);

function make(changes: Partial<CertificateOptions> = {}): Uint8Array {
  const key = newCertificateKey();
  return makeCertificate(nodeEd25519, {
    seed: new Uint8Array(randomBytes(32)),
    keyInfo: key.keyInfo,
    sign: (bytes) => key.sign(bytes),
    notBeforeMs: NOW - DAY_MS,
    notAfterMs: NOW + DAY_MS,
    serial: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    ...changes,
  });
}

/** A certificate whose signed part was changed before it was signed. */
function changed(change: (fields: asn1.BaseBlock[]) => void): Uint8Array {
  const key = newCertificateKey();
  const plain = make({ keyInfo: key.keyInfo, sign: (bytes) => key.sign(bytes) });
  const [toBeSigned, algorithm] = (asn1.fromBER(plain.slice()).result as asn1.Sequence).valueBlock
    .value;
  const fields = (toBeSigned as asn1.Sequence).valueBlock.value as asn1.BaseBlock[];
  change(fields);
  const bytes = new Uint8Array(new asn1.Sequence({ value: fields }).toBER());
  const signature = new asn1.BitString({ valueHex: key.sign(bytes) });
  const value = [asn1.fromBER(bytes.slice()).result, algorithm!, signature];
  return new Uint8Array(new asn1.Sequence({ value }).toBER());
}

const extension = (oid: string, isCritical: boolean): asn1.Sequence =>
  new asn1.Sequence({
    value: [
      new asn1.ObjectIdentifier({ value: oid }),
      new asn1.Boolean({ value: isCritical }),
      new asn1.OctetString({ valueHex: Uint8Array.of(5, 0) }),
    ],
  });

function extensionsOf(fields: asn1.BaseBlock[]): asn1.BaseBlock[] {
  const tagged = fields.at(-1) as asn1.Constructed;
  return (tagged.valueBlock.value[0] as asn1.Sequence).valueBlock.value as asn1.BaseBlock[];
}

function assertRefused(der: Uint8Array, why: RegExp, nowMs = NOW): void {
  const outcome = read(der, nowMs);
  assert.ok(!outcome.ok, 'it was taken');
  assert.match(outcome.message, why);
}

describe('libp2p tls: test vectors', () => {
  it('1. Valid certificate authenticating an ED25519 Peer ID', () => {
    const outcome = read(fromHex(VECTORS.ED25519)!);
    assert.ok(outcome.ok);
    assert.equal(
      formatPeerId(outcome.value),
      '12D3KooWM6CgA9iBFZmcYAHA6A2qvbAxqfkmrYiRQuz3XEsk4Ksv',
    );
  });

  for (const kind of ['ECDSA', 'SECP256K1'] as const) {
    it(`valid certificate authenticating an ${kind} peer id: read, and refused as another kind`, () => {
      const outcome = read(fromHex(VECTORS[kind])!);
      assert.ok(!outcome.ok);
      assert.equal(outcome.code, 'ERR_PEER_ID_KIND');
    });
  }

  it('4. Invalid certificate: it does not prove the peer id that it claims', () => {
    assert.ok(!read(fromHex(VECTORS.MISMATCHED)!).ok);
  });
});

describe('libp2p tls: certificates', () => {
  it('Implementations are encouraged to also perform roundtrip tests on their own certificate generation', () => {
    const seed = new Uint8Array(randomBytes(32));
    const outcome = read(make({ seed }));
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.message);
    assert.deepEqual(outcome.value, peerIdOf(nodeEd25519.publicKey(seed)));
  });

  it('an endpoint MUST abort the connection attempt if the presented certificate is not yet valid, OR if it is expired', () => {
    const der = make();
    assertRefused(der, /holds from/, NOW - 2 * DAY_MS);
    assertRefused(der, /holds from/, NOW + 2 * DAY_MS);
  });

  it("Endpoints MUST abort the connection attempt if the certificate's self-signature is not valid", () => {
    const other = newCertificateKey();
    assertRefused(make({ sign: (bytes) => other.sign(bytes) }), /own signature is wrong/);
  });

  it('If this extension is missing, endpoints MUST abort the connection attempt', () => {
    const without = (fields: asn1.BaseBlock[]): void => {
      extensionsOf(fields).splice(0, 1, extension('1.2.3.4', false));
    };
    assertRefused(changed(without), /without an identity/);
    assertRefused(
      changed((fields) => fields.pop()),
      /without extensions/,
    );
  });

  it('Implementations MUST ignore non-critical extensions with unknown OIDs', () => {
    assert.ok(read(changed((fields) => extensionsOf(fields).push(extension('1.2.3.4', false)))).ok);
  });

  it('Endpoints MUST abort the connection attempt if the certificate contains critical extensions that the endpoint does not understand', () => {
    const der = changed((fields) => extensionsOf(fields).push(extension('1.2.3.4', true)));
    assertRefused(der, /critical extension 1\.2\.3\.4/);
  });

  it('Endpoints MAY abort the connection attempt if either [unique id] is present', () => {
    const id = new asn1.Primitive({
      idBlock: { tagClass: 3, tagNumber: 1 },
      valueHex: Uint8Array.of(0, 1),
    });
    assertRefused(
      changed((fields) => fields.splice(7, 0, id)),
      /unique ids/,
    );
  });

  it('a certificate with two identities proves none', () => {
    const twice = (fields: asn1.BaseBlock[]): void => {
      const extensions = extensionsOf(fields);
      extensions.push(extensions[0]!);
    };
    assertRefused(changed(twice), /two identities/);
  });

  it('Peers MUST verify the signature, and abort the connection attempt if signature verification fails', () => {
    // The identity signed another certificate's key.
    const [mine, other] = [newCertificateKey(), newCertificateKey()];
    const stolen = make({ keyInfo: other.keyInfo, sign: (bytes) => other.sign(bytes) });
    const swap = (fields: asn1.BaseBlock[]): void => {
      const root = asn1.fromBER(stolen.slice()).result as asn1.Sequence;
      const theirs = (root.valueBlock.value[0] as asn1.Sequence).valueBlock.value;
      extensionsOf(fields)[0] = extensionsOf(theirs as asn1.BaseBlock[])[0]!;
    };
    assertRefused(changed(swap), /did not sign/);
    assert.notDeepEqual(mine.keyInfo, other.keyInfo);
  });

  it('bytes behind the certificate, too many bytes and none are refused', () => {
    const der = make();
    assertRefused(concatBytes(der, Uint8Array.of(0)), /other bytes/);
    assertRefused(der.subarray(0, -1), /other bytes/);
    assertRefused(new Uint8Array(5_000), /5000 bytes/);
    assertRefused(new Uint8Array(), /other bytes/);
  });
});
