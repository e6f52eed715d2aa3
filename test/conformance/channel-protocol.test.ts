/** docs/protocol/channel.md, relay.md and the words of send-transfer.md: vectors, read by a reader that was written from the pages alone (channel-page.ts). */
import assert from 'node:assert/strict';
import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeEd25519 } from '../../src/io/crypto.ts';
import { isSelfSigned } from '../../src/io/tls.ts';
import { fromHex } from '../../src/lib/bytes.ts';
import { parseIp } from '../../src/lib/ip-address.ts';
import { decodeFrame, readBulkHeader } from '../../src/protocol/channel/index.ts';
import { readCertificate } from '../../src/protocol/identity/certificate.ts';
import { formatPeerId, parsePeerId } from '../../src/protocol/identity/index.ts';
import { decodeRelayWord } from '../../src/protocol/relay/index.ts';
import { decodeOffer, decodePairWord, decodeSendWord } from '../../src/protocol/send/index.ts';
import { Bencode, readFrame, readHeader } from './channel-page.ts';

const docs = join(import.meta.dirname, '..', '..', 'docs/protocol');
const vectorsOf = (name: string) => JSON.parse(readFileSync(join(docs, 'vectors', name), 'utf8'));
const page = readFileSync(join(docs, 'channel.md'), 'utf8');
const relayPage = readFileSync(join(docs, 'relay.md'), 'utf8');
const channel = vectorsOf('channel.json');
const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

interface Refused {
  readonly why: string;
  readonly bytes: string;
}

/** Addresses of a vector as their bytes: the page's reader does not write them as text. */
function withoutTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== 'object' || value === null) return value;
  const { host, ...rest } = value as { host?: string };
  if (host !== undefined) return { ip: Buffer.from(parseIp(host)!).toString('hex'), ...rest };
  return Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, withoutTexts(one)]));
}

/** The keys of a bencoded dictionary, strings as hex. */
function fieldsOf(hex: string): { [key: string]: unknown } {
  const bencode = new Bencode(bytesOf(hex));
  const dict = bencode.value() as Map<string, unknown>;
  bencode.end();
  const plain = [...dict].map(([key, value]) => {
    return [key, Buffer.isBuffer(value) ? value.toString('hex') : value] as const;
  });
  return Object.fromEntries(plain);
}

const latin = (hex: unknown): string => bytesOf(String(hex)).toString('latin1');

describe('frames', () => {
  for (const { frame, bytes } of channel.frames as { frame: { kind: string }; bytes: string }[]) {
    it(`a ${frame.kind} of ${bytes.length / 2} bytes reads by the page as it was written`, () => {
      assert.deepEqual(readFrame(bytesOf(bytes)), withoutTexts(frame));
      assert.ok(decodeFrame(fromHex(bytes)!.subarray(4)).ok);
    });
  }

  for (const { why, bytes } of channel.refusedFrames as Refused[]) {
    it(`"a fault: the connection is closed at once": ${why}`, () => {
      assert.throws(() => readFrame(bytesOf(bytes)));
      const lengthBytes = bytesOf(bytes).readUInt32BE(0);
      const isLength = lengthBytes >= 1 && lengthBytes <= 65_536;
      assert.ok(!isLength || !decodeFrame(fromHex(bytes)!.subarray(4)).ok);
    });
  }

  it('every kind of the page has a vector', () => {
    const named = [...page.matchAll(/^\| \d \| ([a-z]+) \|/gm)].map(([, name]) => name);
    assert.equal(named.length, 8);
    const there = new Set(
      channel.frames.map(({ frame }: { frame: { kind: string } }) => frame.kind),
    );
    assert.deepEqual([...there], named);
  });
});

describe('headers of bulk connections', () => {
  it('read by the page as they were written', () => {
    for (const { header, bytes } of channel.bulkHeaders) {
      assert.deepEqual(readHeader(bytesOf(bytes)), header);
    }
    for (const { bytes } of channel.refusedBulkHeaders as Refused[]) {
      assert.throws(() => readHeader(bytesOf(bytes)));
      assert.equal(readBulkHeader(fromHex(bytes)!)?.ok, false);
    }
  });
});

describe('one control connection of a pair', () => {
  interface Rival {
    readonly isDialled: boolean;
    readonly isRelayed: boolean;
    readonly madeMs: number;
    readonly instance: string;
  }
  /** The five rules of the page, at one end. */
  function staying(isOwnLower: boolean, old: Rival, fresh: Rival): 'old' | 'fresh' {
    if (old.instance !== fresh.instance) return 'fresh';
    if (old.isRelayed !== fresh.isRelayed) return fresh.isRelayed ? 'old' : 'fresh';
    if (old.isDialled === fresh.isDialled) return 'fresh';
    if (fresh.madeMs - old.madeMs > 10_000) return 'fresh';
    const isDialledByLower = fresh.isDialled === isOwnLower;
    return isDialledByLower ? 'fresh' : 'old';
  }

  for (const one of channel.duplicates) {
    it(`${one.case}: both ends decide the same, by the rules of the page`, () => {
      assert.equal(staying(true, one.old, one.fresh), one.atLowerId);
      const turned = (rival: Rival): Rival => ({ ...rival, isDialled: !rival.isDialled });
      assert.equal(staying(false, turned(one.old), turned(one.fresh)), one.atHigherId);
      assert.equal(one.atLowerId, one.atHigherId);
    });
  }
});

describe('the certificate', () => {
  const { certificate, keyInfo, peerId, peerIdBytes, identityPublicKey, signedByTheIdentity } =
    channel.certificate;
  const read = new X509Certificate(bytesOf(certificate));

  it('is signed by its own key, which another implementation reads out of it', () => {
    assert.ok(read.verify(read.publicKey));
    const spki = read.publicKey.export({ type: 'spki', format: 'der' });
    assert.equal(spki.toString('hex'), keyInfo);
    assert.equal(read.serialNumber, channel.certificate.serial.toUpperCase());
    assert.equal(read.validFromDate.getTime(), channel.certificate.notBeforeMs);
    assert.equal(read.validToDate.getTime(), channel.certificate.notAfterMs);
  });

  it('holds a signature of the identity over "libp2p-tls-handshake:" and the SubjectPublicKeyInfo, behind the public key', () => {
    const message = Buffer.concat([Buffer.from('libp2p-tls-handshake:'), bytesOf(keyInfo)]);
    assert.equal(signedByTheIdentity, message.toString('hex'));
    const publicKey = `08011220${identityPublicKey}`;
    // SignedKey ::= SEQUENCE { OCTET STRING of 36 bytes, OCTET STRING of 64 bytes }
    const at = certificate.indexOf(`30680424${publicKey}0440`);
    assert.ok(at > 0, 'the extension stands in the certificate');
    const signature = certificate.slice(at + 8 + publicKey.length + 4).slice(0, 128);
    const key = createPublicKey({
      key: Buffer.concat([bytesOf('302a300506032b6570032100'), bytesOf(identityPublicKey)]),
      format: 'der',
      type: 'spki',
    });
    assert.ok(verify(undefined, message, key, bytesOf(signature)));
  });

  it('"Its peer id is that of libp2p: the bytes 00 24 08 01 12 20, then the 32 bytes of the public key"', () => {
    assert.equal(peerIdBytes, `002408011220${identityPublicKey}`);
    const parsed = parsePeerId(peerId);
    assert.ok(parsed.ok);
    assert.equal(Buffer.from(parsed.value).toString('hex'), peerIdBytes);
    const nowMs = Date.UTC(2030, 0, 1);
    const proven = readCertificate(
      { ed25519: nodeEd25519, isSelfSigned },
      nowMs,
      fromHex(certificate)!,
    );
    assert.ok(proven.ok);
    assert.equal(formatPeerId(proven.value), peerId);
  });

  it('the ALPN tokens are those of the page', () => {
    for (const token of channel.alpn) assert.ok(page.includes(`| \`${token}\` |`), token);
  });
});

describe('words of relays', () => {
  const relay = vectorsOf('relay.json');

  it('have the keys of the page and no others', () => {
    const names = { b: 'leftBytes', k: 'token', p: 'peerId', t: 'lastsMs' } as const;
    for (const { word, bytes } of relay.words) {
      const { q, ...fields } = fieldsOf(bytes);
      const kind = latin(q);
      assert.equal(kind, word.kind);
      assert.ok(relayPage.includes(`| \`${kind}\` |`));
      const { kind: _, ...expected } = word;
      const named = Object.entries(fields).map(([key, value]) => [
        names[key as keyof typeof names],
        value,
      ]);
      assert.deepEqual(Object.fromEntries(named), expected);
    }
  });

  it('"A word that is none is refused"', () => {
    for (const { why, bytes } of relay.refusedWords as Refused[]) {
      assert.equal(decodeRelayWord(fromHex(bytes)!).ok, false, why);
    }
  });

  it('"the preface: the 17 bytes STARLING-RELAY/1 and a line feed, then its token"', () => {
    const { token, bytes } = relay.preface;
    assert.equal(bytes, `${Buffer.from('STARLING-RELAY/1\n').toString('hex')}${token}`);
    assert.equal(bytesOf(bytes).length, 17 + 32);
    assert.equal(relay.preface.ready, '01');
  });
});

describe('words of senders and receivers', () => {
  const words = vectorsOf('send-words.json');

  it('have the keys of the page', () => {
    const [share, confirm, hinted] = words.pair;
    const first = fieldsOf(share.bytes);
    assert.deepEqual(first, { h: share.word.hour, m: share.word.message, q: first['q'] });
    assert.equal(latin(first['q']), 'share');
    const second = fieldsOf(confirm.bytes);
    assert.deepEqual(second, { m: confirm.word.message, q: second['q'] });
    assert.equal(latin(second['q']), 'confirm');
    const { c, ...others } = fieldsOf(hinted.bytes);
    assert.deepEqual([c, others], [hinted.word.hint, first]);
    assert.deepEqual(fieldsOf(words.paired.bytes), {
      m: words.paired.message,
      n: words.paired.nonce,
    });
    assert.deepEqual(fieldsOf(words.knock.bytes), { n: words.knock.nonce });
    const [told, notYet] = words.digest;
    assert.deepEqual(fieldsOf(told.bytes), { d: told.digest });
    assert.deepEqual(fieldsOf(notYet.bytes), {});
    for (const { kind, nonce, bytes } of words.send) {
      const { q, n } = fieldsOf(bytes);
      assert.deepEqual([latin(q), n], [kind, nonce]);
    }
  });

  it('an offer has the keys of the page', () => {
    const { offer, bytes } = words.offer;
    const { k, t, ...numbers } = fieldsOf(bytes);
    assert.equal(latin(k), offer.contentKind);
    assert.equal(bytesOf(String(t)).toString('utf8'), offer.name);
    assert.deepEqual(numbers, {
      f: offer.fileCount,
      h: offer.manifestHash,
      l: offer.manifestBytes,
      s: offer.totalBytes,
    });
  });

  it('are refused with a nonce, an hour or a hash that is none', () => {
    const changed = (hex: string, from: string, to: string): Uint8Array => {
      const text = bytesOf(hex).toString('latin1');
      assert.ok(text.includes(from));
      return new Uint8Array(Buffer.from(text.replace(from, to), 'latin1'));
    };
    const [{ bytes: share }] = words.pair;
    assert.equal(decodePairWord(changed(share, 'i495000e', 'i4294967296e')).ok, false);
    assert.equal(decodePairWord(changed(share, 'i495000e', 'i-1e')).ok, false);
    const [{ bytes: ask }] = words.send;
    assert.equal(decodeSendWord(changed(ask, '5:offer', '5:offed')).ok, false);
    assert.equal(decodeSendWord(changed(ask, '1:n16:\u0010', '1:n15:')).ok, false);
    const { bytes: offer } = words.offer;
    assert.equal(decodeOffer(changed(offer, '1:h32:\u00c0', '1:h31:')).ok, false);
    assert.equal(decodeOffer(changed(offer, 'i400e', 'i67108865e')).ok, false);
    assert.equal(decodeOffer(changed(offer, 'i400e', 'i0e')).ok, false);
  });
});
