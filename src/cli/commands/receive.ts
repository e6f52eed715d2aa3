/**
 * `starling receive`: takes what somebody sends, by three words.
 * @module
 */
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { pipeline } from 'node:stream/promises';
import { printableText } from '../../lib/printable.ts';
import { resolveEndpoints } from '../../node/api/address.ts';
import type { PeerNode } from '../../node/api/index.ts';
import {
  firstKeysOf,
  openPersonalChannels,
  type PersonalChannels,
  parseCode,
  type ReceiveOutcome,
  Receiver,
  type ShownOffer,
  waitForKnocks,
} from '../../node/api/send.ts';
import {
  type CommandSpec,
  listOption,
  numberOption,
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
  argument: '[word-word-word | -]',
  most: 3,
  summary: 'receive what somebody sends, by three words; without them, what contacts send',
  options: {
    dir: { value: 'dir', help: 'the folder for what comes; default: here' },
    yes: { help: 'take it without asking' },
    once: { help: 'without a code: end after the first' },
    stdout: { help: 'write a single file to stdout instead of the folder' },
    sha256: { value: 'hex', help: 'the digest that it must have' },
    peer: { value: 'host:port', isRepeatable: true, help: 'where the sender may be' },
    wait: { value: 'seconds', help: 'how long the sender is looked for; default: 600' },
    ...NODE_OPTIONS,
  },
  // Three words with blanks between them are as good as three with hyphens.
  run: (words, options) => receive(words.length === 0 ? undefined : words.join(' '), options),
};

const GO_ON = 'Interrupted; what came is kept. Run the same command again to go on.';

/** What all receivers of a command share. */
interface Ground extends PersonalChannels {
  readonly node: PeerNode;
  readonly output: Output;
  readonly options: OptionValues;
  readonly sha256: string | undefined;
  /** After the first the command ends. */
  readonly isOnce: boolean;
  /** The sender shows three words, which would be spent when its offer is declined. */
  readonly isByCode: boolean;
}

async function receive(text: string | undefined, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const words = text === '-' ? await readWords(output) : text;
  const code = words === undefined ? undefined : parseCode(words);
  if (code?.ok === false) throw usageError(code.message.replace(/[^?]$/, '$&.'));
  const sha256 = digestOf(options);
  if (switchOption(options, 'stdout') && output.isJson) {
    throw usageError('receive: expected --stdout or --json, got both; one of them has stdout.');
  }
  const firstKeys = code === undefined ? undefined : firstKeysOf(code.value);
  const goOn = (): string => GO_ON;
  await withPeerNode(nodeOptionsOf(options), output, goOn, async (node, signal) => {
    const passphrase = passphraseInEnv();
    const personal = openPersonalChannels(node, { passphrase, isFindable: code === undefined });
    const isByCode = code !== undefined;
    const isOnce = isByCode || switchOption(options, 'once');
    const ground: Ground = { ...personal, node, output, options, sha256, isOnce, isByCode };
    try {
      if (code === undefined) await receiveFromContacts(ground, signal);
      else {
        const peers = await resolveEndpoints(listOption(options, 'peer'), '--peer', node.policy);
        const seconds = numberOption(options, 'wait', 1);
        await withReceiver(ground, signal, (receiver) =>
          receiver.find(code.value, {
            peers,
            signal,
            firstKeys,
            ...(seconds && { patienceMs: seconds * 1000 }),
          }),
        );
      }
    } finally {
      personal.close();
    }
  });
}

/** One line of stdin: words on the command line are seen by everybody on this machine. */
async function readWords(output: Output): Promise<string> {
  if (process.stdin.isTTY) output.note('The three words:');
  const lines = createInterface({ input: process.stdin });
  for await (const line of lines) {
    lines.close();
    return line;
  }
  return '';
}

function digestOf(options: OptionValues): string | undefined {
  const sha256 = textOption(options, 'sha256')?.toLowerCase();
  if (sha256 === undefined || /^[0-9a-f]{64}$/.test(sha256)) return sha256;
  throw usageError(`--sha256: expected 64 hex digits, as the sender shows them, got "${sha256}".`);
}

async function receiveFromContacts(ground: Ground, signal: AbortSignal): Promise<void> {
  const { channels, contacts, output, isOnce } = ground;
  output.event({ type: 'waiting', peer: channels.peerId });
  output.note(`Waiting for what contacts send to ${channels.peerId} …`);
  if (contacts.list().length === 0) {
    output.note(
      'There are no contacts yet, and nobody else is heard: see "starling contacts --help".',
    );
  }
  for await (const { channel, nonce, done } of waitForKnocks(channels, contacts, signal)) {
    try {
      await withReceiver(ground, signal, (receiver) => receiver.take(channel, nonce));
    } catch (error) {
      // One offer that fails does not end the waiting for others.
      if (signal.aborted || isOnce) throw error;
      output.problem((error as Error).message);
    } finally {
      done();
    }
    if (isOnce) return;
  }
  signal.throwIfAborted();
}

/** From an offer to what came of it. */
async function withReceiver(
  ground: Ground,
  signal: AbortSignal,
  begin: (receiver: Receiver) => Promise<ShownOffer>,
): Promise<void> {
  const { node, channels, output, options, sha256 } = ground;
  const dir = textOption(options, 'dir') ?? '.';
  const receiver = new Receiver({ node, channels, dir });
  tell(receiver, output);
  try {
    const offer = await begin(receiver);
    await ask(receiver, offer, ground, signal);
    const unfollow = followTransfer(output, () => receiver.transfer?.status());
    const outcome = await receiver.fetch(offer, signal, sha256).finally(unfollow);
    await report(outcome, offer, ground);
  } finally {
    await receiver.close();
  }
}

/** Shows what comes and asks whether it is wanted. @throws {CommandEnd} when it is not. */
async function ask(
  receiver: Receiver,
  offer: ShownOffer,
  { contacts, output, options, isByCode }: Ground,
  signal: AbortSignal,
): Promise<void> {
  const { name, totalBytes: bytes, fileCount: files, contentKind: kind, peerId: peer } = offer;
  output.event({ type: 'offer', name, bytes, files, kind, peer });
  if (kind === 'text') return;
  const contact = contacts.byPeerId(peer);
  const from = contact?.name ?? peer;
  output.note(
    `${name}: ${formatBytes(bytes)} in ${files} ${files === 1 ? 'file' : 'files'} from ${from}`,
  );
  if (switchOption(options, 'stdout') && files !== 1) {
    if (!isByCode) await receiver.decline();
    const fits = 'give the folder with --dir instead';
    throw usageError(`receive: --stdout takes one file, and ${name} has ${files}: ${fits}.`);
  }
  if (switchOption(options, 'yes') || contact?.isTrusted === true) return;
  if (!process.stdin.isTTY) {
    if (!isByCode) await receiver.decline();
    throw usageError('receive: there is nobody to ask here; --yes takes it without asking.');
  }
  if (/^(?:|y|yes)$/i.test((await answerTo('Take it? [Y/n] ', signal)).trim())) return;
  await receiver.decline();
  throw new CommandEnd('Not taken.', { exitCode: EXIT.failed });
}

/** A line of the terminal. @throws {CommandEnd} after Ctrl-C and Ctrl-D: an interruption like any other. */
async function answerTo(question: string, signal: AbortSignal): Promise<string> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const onEnd = Promise.withResolvers<never>();
  prompt.once('close', () => onEnd.reject(new CommandEnd(GO_ON, { exitCode: EXIT.interrupted })));
  try {
    const asked = prompt.question(question, { signal });
    asked.catch(() => {});
    return await Promise.race([asked, onEnd.promise]);
  } catch (error) {
    process.stderr.write('\n');
    signal.throwIfAborted();
    throw error instanceof CommandEnd
      ? error
      : new CommandEnd(GO_ON, { exitCode: EXIT.interrupted });
  } finally {
    onEnd.promise.catch(() => {});
    prompt.close();
  }
}

async function report(
  { sha256, received, text }: ReceiveOutcome,
  offer: ShownOffer,
  { output, options, isOnce }: Ground,
): Promise<void> {
  const tellSummary = (more: Readonly<Record<string, unknown>>): void => {
    if (isOnce) output.lastEvent({ ...summary, ...more });
    else output.event({ ...summary, ...more });
  };
  const summary = {
    type: 'summary',
    name: offer.name,
    bytes: offer.totalBytes,
    peer: offer.peerId,
    sha256,
  };
  if (text !== undefined) {
    tellSummary({ text });
    output.result(process.stdout.isTTY ? printableText(text) : text);
    return;
  }
  const path = received!.path;
  if (switchOption(options, 'stdout')) {
    // A folder with one file in it looks like a file in an offer.
    if ((await stat(path)).isDirectory()) {
      const message = `${offer.name} is a folder: it is complete, and left at ${path}.`;
      throw new CommandEnd(message, { exitCode: EXIT.failed });
    }
    await pipeline(createReadStream(path), process.stdout, { end: false });
    await rm(path);
  } else if (!output.isJson) {
    for (const { from, to } of received!.renamed) output.note(`${from} is called ${to} here`);
    if (received!.isRenamed) output.note(`The name ${offer.name} was taken or unsafe here.`);
    output.result(`${path}: ${formatBytes(offer.totalBytes)}, SHA-256 ${sha256}`);
  }
  const { isRenamed, renamed } = received!;
  tellSummary({ path, isRenamed, renamed });
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
