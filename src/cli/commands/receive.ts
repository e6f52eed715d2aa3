/**
 * `starling receive`: takes what somebody sends, by three words.
 * @module
 */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { pipeline } from 'node:stream/promises';
import { parseEndpoint } from '../../node/api/address.ts';
import type { PeerNode } from '../../node/api/index.ts';
import {
  openPersonalChannels,
  parseCode,
  type ReceiveOutcome,
  Receiver,
  type ShownOffer,
} from '../../node/api/send.ts';
import {
  type CommandSpec,
  listOption,
  type OptionValues,
  switchOption,
  textOption,
} from '../command.ts';
import { CommandEnd, EXIT, usageError } from '../exit.ts';
import { NODE_OPTIONS, nodeOptionsOf, outputOf } from '../options.ts';
import { formatBytes, type Output } from '../output.ts';
import { passphraseInEnv } from '../passphrase.ts';
import { withPeerNode } from '../session.ts';
import { followTransfer, pathEvent, pathInWords } from '../transfer-words.ts';

/** The command. */
export const receiveCommand: CommandSpec = {
  name: 'receive',
  argument: 'code',
  summary: 'receive what somebody sends, by three words',
  options: {
    dir: { value: 'dir', help: 'the folder for what comes; default: here' },
    yes: { help: 'take it without asking' },
    stdout: { help: 'write a single file to stdout instead of the folder' },
    sha256: { value: 'hex', help: 'the digest that it must have' },
    peer: { value: 'host:port', isRepeatable: true, help: 'where the sender may be' },
    ...NODE_OPTIONS,
  },
  run: ([text], options) => receive(text!, options),
};

async function receive(text: string, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const code = parseCode(text);
  if (!code.ok) throw usageError(`${code.message}.`);
  const sha256 = textOption(options, 'sha256')?.toLowerCase();
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    throw usageError(
      `--sha256: expected 64 hex digits, as the sender shows them, got "${sha256}".`,
    );
  }
  const goOn = (): string => 'Interrupted; what came is kept. Run the same command again to go on.';
  await withPeerNode(nodeOptionsOf(options), output, goOn, async (node, signal) => {
    const channels = openPersonalChannels(node, passphraseInEnv());
    const dir = textOption(options, 'dir') ?? '.';
    const receiver = new Receiver({ node, channels, dir });
    tell(receiver, output);
    try {
      const offer = await receiver.find(code.value, peersOf(node, options), signal);
      await ask(receiver, offer, output, options, signal);
      const unfollow = followTransfer(output, () => receiver.transfer?.status());
      const outcome = await receiver.fetch(offer, signal, sha256).finally(unfollow);
      await report(outcome, offer, output, options);
    } finally {
      await receiver.close();
    }
  });
}

function peersOf(node: PeerNode, options: OptionValues): { host: string; port: number }[] {
  return listOption(options, 'peer').map((text) => {
    node.policy.giveSubnet(text);
    return parseEndpoint(text, '--peer');
  });
}

/** Shows what comes and asks whether it is wanted. @throws {CommandEnd} when it is not. */
async function ask(
  receiver: Receiver,
  offer: ShownOffer,
  output: Output,
  options: OptionValues,
  signal: AbortSignal,
): Promise<void> {
  const { name, totalBytes: bytes, fileCount: files, contentKind: kind, peerId: peer } = offer;
  output.event({ type: 'offer', name, bytes, files, kind, peer });
  if (kind === 'text') return;
  output.note(`${name}: ${formatBytes(bytes)} in ${files} file(s) from ${peer}`);
  if (switchOption(options, 'yes')) return;
  if (!process.stdin.isTTY) {
    await receiver.decline();
    throw usageError('receive: there is nobody to ask here; --yes takes it without asking.');
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question('Take it? [Y/n] ', { signal }).finally(() => prompt.close());
  if (/^(?:|y|yes)$/i.test(answer.trim())) return;
  await receiver.decline();
  throw new CommandEnd('Not taken.', { exitCode: EXIT.failed });
}

async function report(
  { sha256, received, text }: ReceiveOutcome,
  offer: ShownOffer,
  output: Output,
  options: OptionValues,
): Promise<void> {
  const summary = {
    type: 'summary',
    name: offer.name,
    bytes: offer.totalBytes,
    peer: offer.peerId,
    sha256,
  };
  if (text !== undefined) {
    output.lastEvent({ ...summary, text });
    output.result(text);
    return;
  }
  const path = received!.path;
  if (switchOption(options, 'stdout')) {
    await pipeline(createReadStream(path), process.stdout, { end: false });
    await rm(path);
  } else if (!output.isJson) {
    for (const { from, to } of received!.renamed) output.note(`${from} is called ${to} here`);
    if (received!.isRenamed) output.note(`The name ${offer.name} was taken or unsafe here.`);
    output.result(`${path}: ${formatBytes(offer.totalBytes)}, SHA-256 ${sha256}`);
  }
  const { isRenamed, renamed } = received!;
  output.lastEvent({ ...summary, path, isRenamed, renamed });
}

function tell(receiver: Receiver, output: Output): void {
  receiver.on('searching', () => {
    output.event({ type: 'searching' });
    output.note('Looking for the sender …');
  });
  receiver.on('wrong-code', ({ peerId, reason }) => {
    output.event({ type: 'wrong-code', peer: peerId, reason });
    output.note(reason);
  });
  receiver.on('paired', ({ peerId, path }) => {
    output.event({ type: 'paired', peer: peerId, path: pathEvent(path) });
    output.note(`Connected with ${peerId}, ${pathInWords(path)}.`);
  });
  receiver.on('path', ({ path }) => {
    output.event({ type: 'path', ...pathEvent(path) });
    output.note(`Connected ${pathInWords(path)}.`);
  });
  receiver.on('lost', ({ reason }) => {
    output.event({ type: 'lost', reason });
    output.note(`The sender is not connected (${reason}); looking for it again …`);
  });
  receiver.on('comparing', () => output.event({ type: 'comparing' }));
  receiver.on('again', () => {
    output.event({ type: 'again' });
    output.note('What came has another digest than what was sent: fetching it once more.');
  });
}
