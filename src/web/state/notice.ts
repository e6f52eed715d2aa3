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
}

export const notices = new Value<readonly Notice[]>([]);
let nextId = 1;

export function dismiss(id: number): void {
  notices.set(notices.get().filter((notice) => notice.id !== id));
}

function tell(kind: Notice['kind'], text: string): void {
  const id = nextId;
  nextId += 1;
  const others = notices.get().filter((notice) => notice.text !== text);
  notices.set([...others, { id, kind, text }].slice(-MAX_NOTICES));
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
  try {
    await action();
    if (news !== undefined) tellNews(news);
    return true;
  } catch (error) {
    tellProblem(error);
    return false;
  }
}
