/**
 * `starling send`: sends a file, a folder, a message or what comes by stdin to whoever says three words.
 * @module
 */
import { defaultHome } from '../../node/api/identity.ts';
import { type PeerNode, untilAborted } from '../../node/api/index.ts';
import {
  codeLink,
  openPersonalChannels,
  Sender,
  spoolStream,
  type TransferSource,
  textSource,
  walkSource,
} from '../../node/api/send.ts';
import { type CommandSpec, type OptionValues, textOption } from '../command.ts';
import { usageError } from '../exit.ts';
import { NODE_OPTIONS, nodeOptionsOf, outputOf } from '../options.ts';
import { formatBytes, type Output } from '../output.ts';
import { passphraseInEnv } from '../passphrase.ts';
import { withPeerNode } from '../session.ts';
import { followTransfer, pathEvent, pathInWords } from '../transfer-words.ts';

/** The command. */
export const sendCommand: CommandSpec = {
  name: 'send',
  argument: '[path | -]',
  summary: 'send a file, a folder, stdin or a message to whoever says three words',
  options: {
    text: { value: 'message', help: 'send this message instead of a path' },
    to: { value: 'contact', help: 'to this contact, without a code; its "starling receive" waits' },
    name: { value: 'name', help: 'what the receiver is told as the name of stdin; default: stdin' },
    ...NODE_OPTIONS,
  },
  run: ([path], options) => send(path, options),
};

interface Sent {
  readonly source: TransferSource;
  readonly remove?: () => void;
}

async function sourceOf(path: string | undefined, options: OptionValues): Promise<Sent> {
  const text = textOption(options, 'text');
  if ((text === undefined) === (path === undefined)) {
    throw usageError('send: expected a path, "-" for stdin, or --text MESSAGE; one of them.');
  }
  if (text !== undefined) return await textSource(defaultHome(), text);
  if (path !== '-') return { source: await walkSource(path!) };
  return await spoolStream(defaultHome(), process.stdin, textOption(options, 'name') ?? 'stdin');
}

async function send(path: string | undefined, options: OptionValues): Promise<void> {
  const output = outputOf(options);
  const { source, remove } = await sourceOf(path, options);
  for (const { path: left, reason } of source.skipped) {
    output.event({ type: 'skipped', path: left, reason });
    output.note(`not sent: ${left}: ${reason}`);
  }
  const goOn = (): string => 'Interrupted. Run the same command again to go on with the same code.';
  try {
    await withPeerNode(nodeOptionsOf(options), output, goOn, (node, signal) =>
      offer(node, source, output, signal, textOption(options, 'to')),
    );
  } finally {
    remove?.();
  }
}

async function offer(
  node: PeerNode,
  source: TransferSource,
  output: Output,
  signal: AbortSignal,
  name: string | undefined,
): Promise<void> {
  const passphrase = passphraseInEnv();
  const personal = openPersonalChannels(node, { passphrase, isFindable: name !== undefined });
  const { channels, contacts } = personal;
  const to = name === undefined ? undefined : contacts.find(name);
  const sender = new Sender({ node, channels, source, ...(to && { to: to.peerId }) });
  const nameOf = (peerId: string): string => contacts.byPeerId(peerId)?.name ?? peerId;
  tell(sender, output, nameOf);
  const startedMs = performance.now();
  const unfollow = followTransfer(output, () => sender.transfer?.status());
  try {
    await untilAborted(signal, sender.start());
    if (sender.code !== undefined) showCode(sender, sender.code, output);
    if (to !== undefined) {
      output.event({ type: 'waiting', peer: to.peerId, name: to.name });
      output.note(`Waiting for ${to.name}: "starling receive" has to run there.`);
    }
    const { peerId, sha256 } = await untilAborted(signal, sender.completed());
    const bytes = sender.transfer?.status().totalBytes ?? 0;
    const seconds = (performance.now() - startedMs) / 1000;
    output.lastEvent({
      type: 'summary',
      name: source.manifest.name,
      bytes,
      seconds,
      peer: peerId,
      sha256,
    });
    output.result(`${source.manifest.name}: ${formatBytes(bytes)} sent, SHA-256 ${sha256}`);
  } finally {
    unfollow();
    await sender.close();
    personal.close();
  }
}

function showCode(sender: Sender, code: string, output: Output): void {
  const link = codeLink(code);
  output.event({ type: 'code', code, link, isResumed: sender.isResumed });
  output.result(
    `On the other computer: starling receive ${code}\n(or, as a link: ${link})${sender.isResumed ? '\nGoing on where it was interrupted; the code is the same.' : ''}`,
  );
}

function tell(sender: Sender, output: Output, nameOf: (peerId: string) => string): void {
  sender.on('paired', ({ peerId, path }) => {
    output.event({ type: 'paired', peer: peerId, path: pathEvent(path) });
    output.note(`Connected with ${nameOf(peerId)}, ${pathInWords(path)}.`);
  });
  sender.on('wrong-guess', ({ left }) => {
    output.event({ type: 'wrong-guess', left });
    output.note(`Somebody tried a wrong code; ${left} more and this one is of no use any more.`);
  });
  sender.on('accepted', () => output.event({ type: 'accepted' }));
  sender.on('path', ({ path }) => {
    output.event({ type: 'path', ...pathEvent(path) });
    output.note(`Connected ${pathInWords(path)}.`);
  });
  sender.on('lost', ({ reason }) => {
    output.event({ type: 'lost', reason });
    output.note(`The receiver is not connected (${reason}); it may come back.`);
  });
  sender.on('again', () => {
    output.event({ type: 'again' });
    output.note('The receiver got something else, and fetches everything once more.');
  });
}
