/**
 * `starling send` and `starling receive` as tests use them: on loopback, with homes whose identities know each other.
 * @module
 */
import { Contacts } from '../../src/node/contacts.ts';
import { identityFile, showIdentity } from '../../src/node/identity-store.ts';
import { type Starling, type StarlingOptions, startStarling } from './cli.ts';
import type { TestBed } from './cli-child.ts';

function onLoopback(args: readonly string[]): string[] {
  const listen = args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  return [...args, ...listen, '--json'];
}

/** Starts `send`. */
export function startSend(
  bed: TestBed,
  args: readonly string[],
  options?: StarlingOptions,
): Starling {
  return startStarling(bed, ['send', ...onLoopback(args)], options);
}

/** Starts `receive` into a folder of the test. */
export function startReceive(
  bed: TestBed,
  args: readonly string[],
  options?: StarlingOptions,
): Starling {
  return startStarling(bed, ['receive', ...onLoopback(args)], options);
}

/** The three words that a sender shows. */
export async function codeOf(sender: Starling): Promise<string> {
  return String((await sender.event('code'))['code']);
}

/** The peer id of a home; its identity is made when there is none. */
export function peerIdIn(home: string): string {
  return showIdentity(identityFile(home)).peerId;
}

/** Lets the owners of two homes know each other by these names. */
export function befriend(one: string, itsName: string, other: string, otherName: string): void {
  new Contacts(one).add(otherName, peerIdIn(other));
  new Contacts(other).add(itsName, peerIdIn(one));
}

/** The types of a command's events in order, without those that come by the clock, or because a better way was found while others went on. */
export function storyOf({ events }: Starling): string[] {
  return events.map(({ type }) => type).filter((type) => type !== 'progress' && type !== 'path');
}
