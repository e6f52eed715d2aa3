/**
 * What the user is told in passing: shown for some seconds and read out.
 * @module
 */
import { reasonOf } from './api.ts';
import { Value } from './value.ts';

// Implementation limits
/** Notices shown at once; the oldest goes first. */
const MAX_NOTICES = 4;
/** How long good news stays, in milliseconds. */
const NEWS_MS = 5_000;
/** How long a problem stays, in milliseconds: it says what to do, which takes time to read. */
const PROBLEM_MS = 15_000;

export interface Notice {
  readonly id: number;
  readonly kind: 'news' | 'problem';
  readonly text: string;
  /** The dialog in which something went wrong: it shows that, since all outside of it is dimmed and cannot be reached. */
  readonly dialog?: number;
}

export const notices = new Value<readonly Notice[]>([]);
let nextId = 1;
/** The open dialogs, the uppermost last. */
let dialogs: readonly number[] = [];

/** A dialog opened. @returns its number */
export function enterDialog(): number {
  const dialog = nextId;
  nextId += 1;
  dialogs = [...dialogs, dialog];
  return dialog;
}

/** A dialog closed: what went wrong in it is over. */
export function leaveDialog(dialog: number): void {
  dialogs = dialogs.filter((each) => each !== dialog);
  notices.set(notices.get().filter((notice) => notice.dialog !== dialog));
}

export function dismiss(id: number): void {
  notices.set(notices.get().filter((notice) => notice.id !== id));
}

function tell(kind: Notice['kind'], text: string, dialog?: number): void {
  const id = nextId;
  nextId += 1;
  const others = notices
    .get()
    .filter((notice) => notice.text !== text && (dialog === undefined || notice.dialog !== dialog));
  const place = dialog === undefined ? {} : { dialog };
  notices.set([...others, { id, kind, text, ...place }].slice(-MAX_NOTICES));
  // In a dialog it stays until the next try, or until the dialog closes.
  if (dialog !== undefined) return;
  setTimeout(() => dismiss(id), kind === 'news' ? NEWS_MS : PROBLEM_MS);
}

export function tellNews(text: string): void {
  tell('news', text);
}

export function tellProblem(error: unknown): void {
  tell('problem', reasonOf(error));
}

/** Does something whose failure is told. @returns whether it went well. */
export async function attempt(action: () => Promise<unknown>, news?: string): Promise<boolean> {
  const dialog = dialogs.at(-1);
  try {
    await action();
    if (news !== undefined) tellNews(news);
    return true;
  } catch (error) {
    const isOpen = dialog !== undefined && dialogs.includes(dialog);
    tell('problem', reasonOf(error), isOpen ? dialog : undefined);
    return false;
  }
}
