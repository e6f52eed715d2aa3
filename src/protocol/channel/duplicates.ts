/**
 * Which of two control connections of one pair stays; both ends decide the same without asking.
 *
 * Both ends may dial at once, and a program that was started again, or changed networks, dials while its old connection still seems to live at the other end.
 * @module
 */
import { compareBytes, equalBytes } from '../../lib/bytes.ts';
import { SIMULTANEOUS_MS } from './constants.ts';

/** A control connection that has greeted. */
export interface Rival {
  /** Who dialled it: this end. */
  readonly isDialled: boolean;
  /** Through a relay. */
  readonly isRelayed: boolean;
  /** When it was made. */
  readonly madeMs: number;
  /** 8 bytes: which run of the other end's program it leads to. */
  readonly instance: Uint8Array;
}

/**
 * Decides between the connection that there is and one that has just greeted. @param ownId @param otherId peer ids as bytes.
 * @returns true: the new one takes the old one's place.
 *
 * - Another run of the other end: the old one leads nowhere.
 * - One through a relay gives way to one without.
 * - Both dialled by the same end: it would not have dialled with the old one alive.
 * - Else, both made at about the same time: the one dialled by the end with the lower id.
 * - Else the other end has lost the old one.
 */
export function takesPlace(
  ownId: Uint8Array,
  otherId: Uint8Array,
  old: Rival,
  fresh: Rival,
): boolean {
  if (!equalBytes(old.instance, fresh.instance)) return true;
  if (old.isRelayed !== fresh.isRelayed) return old.isRelayed;
  if (old.isDialled === fresh.isDialled) return true;
  if (Math.abs(fresh.madeMs - old.madeMs) > SIMULTANEOUS_MS) return true;
  const isOwnLower = compareBytes(ownId, otherId) < 0;
  return fresh.isDialled === isOwnLower;
}
