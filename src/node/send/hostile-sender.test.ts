/**
 * Senders that lie, over real channels: what they say of themselves is believed of nobody, and nothing of it lands on disk.
 * @module
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { TestBed } from '../../../test/support/cli-child.ts';
import { meet, openParty, type Party } from '../../../test/support/parties.ts';
import { nodeCrypto } from '../../io/crypto.ts';
import { type Encodable, encode } from '../../protocol/bencode/index.ts';
import {
  decodeSendWord,
  encodeDigest,
  encodeOffer,
  type OfferWord,
  SEND_SERVICE,
} from '../../protocol/send/index.ts';
import { walkSource } from '../transfer-source.ts';
import { type ReceiveOutcome, Receiver } from './receiver.ts';

const file = (size: number): Encodable => ({ mode: 0o644, mtime: 0, size });
const folder = (children: { [name: string]: Encodable }): Encodable => ({
  children,
  mode: 0o755,
  mtime: 0,
});
const manifest = (name: string, top: Encodable, kind = 'files'): Uint8Array =>
  encode({ kind, name, top, version: 1 });
const HONEST = manifest('top', folder({ 'a.txt': file(5) }));
const OFFER = { contentKind: 'files', name: 'top', totalBytes: 5, fileCount: 1 } as const;

/** What a sender says. */
interface Lie {
  readonly bytes?: Uint8Array;
  readonly offer?: Partial<OfferWord>;
  /** Bytes that come on the manifest's connection, when they are others. */
  readonly bulk?: Uint8Array;
}

class Scene implements AsyncDisposable {
  readonly bed = new TestBed();
  readonly dir = this.bed.dir('to');
  readonly nonce = randomBytes(16);
  readonly said: string[] = [];
  liar!: Party;
  victim!: Party;

  static async open(): Promise<Scene> {
    const scene = new Scene();
    scene.liar = await openParty(scene.bed);
    scene.victim = await openParty(scene.bed);
    return scene;
  }

  /** The liar answers to the service of senders. */
  tell({ bytes = HONEST, offer, bulk }: Lie, more?: (kind: string) => Promise<Uint8Array>): void {
    this.liar.channels.handle(SEND_SERVICE, {
      admits: () => true,
      onRequest: async (_, { payload }) => {
        const word = decodeSendWord(payload);
        const kind = word.ok ? word.value.kind : 'nothing';
        this.said.push(kind);
        if (kind !== 'offer') return (await more?.(kind)) ?? new Uint8Array();
        const manifestHash = nodeCrypto.sha256(bytes);
        return encodeOffer({ ...OFFER, manifestBytes: bytes.length, manifestHash, ...offer });
      },
      onBulk: ({ connection }) => {
        connection.attach({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
        connection.write(bulk ?? bytes);
        connection.end();
      },
    });
  }

  /** The victim takes it up, as after a knock of a contact. */
  async receive(): Promise<ReceiveOutcome> {
    const { node, channels } = this.victim;
    const channel = await meet(this.victim, this.liar);
    const receiver = new Receiver({ node, channels, dir: this.dir });
    const stop = AbortSignal.timeout(30_000);
    try {
      return await receiver.fetch(await receiver.take(channel, this.nonce), stop);
    } finally {
      await receiver.close();
    }
  }

  async assertRefused(code: string): Promise<void> {
    await assert.rejects(this.receive(), { code });
    assert.deepEqual(readdirSync(this.dir), []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bed[Symbol.asyncDispose]();
  }
}

describe('refused of a sender, with nothing on disk:', () => {
  const inFolder = (name: string): Uint8Array => manifest('top', folder({ [name]: file(5) }));
  const lies: Record<string, readonly [code: string, lie: Lie]> = {
    'the name ".."': ['ERR_MANIFEST', { bytes: inFolder('..') }],
    'the name of another folder': ['ERR_MANIFEST', { bytes: inFolder('../../.bashrc') }],
    'an absolute name': ['ERR_MANIFEST', { bytes: inFolder('/etc/cron.d/x') }],
    'a top that is called ".."': [
      'ERR_MANIFEST',
      { bytes: manifest('..', file(5)), offer: { name: '..' } },
    ],
    'a link out of the folder': [
      'ERR_MANIFEST',
      { bytes: manifest('top', folder({ link: { target: ['..', 'x'] } })) },
    ],
    'more bytes than any disk has': [
      'ERR_NO_SPACE',
      { bytes: manifest('top', file(2 ** 43)), offer: { totalBytes: 2 ** 43 } },
    ],
    'bytes that are no manifest': ['ERR_MANIFEST', { bytes: randomBytes(100) }],
    'another manifest than was offered': [
      'ERR_OFFER',
      { bulk: manifest('top', folder({ 'b.txt': file(5) })) },
    ],
    'files where a message was offered, which nobody is asked about': [
      'ERR_OFFER',
      { offer: { contentKind: 'text' } },
    ],
    'another name than was offered': ['ERR_OFFER', { offer: { name: 'holiday.jpg' } }],
    'more bytes than were offered': ['ERR_OFFER', { offer: { totalBytes: 4 } }],
    'more files than were offered': ['ERR_OFFER', { offer: { fileCount: 0 } }],
  };
  for (const [what, [code, lie]] of Object.entries(lies)) {
    it(what, async () => {
      await using scene = await Scene.open();
      scene.tell(lie);
      await scene.assertRefused(code);
    });
  }

  it('an offer that is none', async () => {
    await using scene = await Scene.open();
    scene.tell({ offer: { manifestBytes: 2 ** 40 } });
    await scene.assertRefused('ERR_OFFER');
  });

  it('a manifest that is longer than it was said to be, of which no more is read', async () => {
    await using scene = await Scene.open();
    scene.tell({ bulk: Buffer.concat([HONEST, randomBytes(50_000_000)]) });
    await scene.assertRefused('ERR_OFFER');
  });

  it('content that has another digest, twice', async () => {
    await using scene = await Scene.open();
    const { bed, liar, nonce } = scene;
    const from = join(bed.dir('from'), 'top');
    writeFileSync(from, 'five!');
    const source = await walkSource(from);
    let served: Promise<unknown> | undefined;
    scene.tell({ bytes: source.bytes }, async (kind) => {
      if (kind === 'accept') served ??= liar.node.sendTransfer({ source, nonce });
      return kind === 'digest' ? encodeDigest(randomBytes(32)) : new Uint8Array();
    });
    await scene.assertRefused('ERR_TRANSFER_DIGEST');
    assert.ok(served !== undefined);
    assert.equal(scene.said.filter((kind) => kind === 'digest').length, 2);
    assert.ok(served !== undefined && !scene.said.includes('done'));
  });
});
