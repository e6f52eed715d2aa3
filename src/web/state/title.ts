/**
 * The title of the tab: the rate while something comes, then the page.
 * @module
 */
import { rateText } from '../words/format.ts';
import { PAGE_WORDS } from '../words/page-words.ts';
import { node } from './live.ts';
import { route } from './route.ts';

// Sizes and times of the display
/** A title stays so long: each change of it takes the browser as long as a new picture of the page (70 of 450 ms while 1 GiB came in 2.3 s). */
const TITLE_MS = 4_000;

function pageWords(): string {
  const { page } = route.get();
  return page === 'play' ? 'Player' : page === 'service' ? 'Service' : PAGE_WORDS[page];
}

/** Keeps the title; another page is told at once. */
export function beginTitle(): void {
  let shown = { words: '', atMs: 0 };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const show = (): void => {
    timer = undefined;
    const down = rateText(node.get('node')?.downloadBytesPerSec ?? 0);
    shown = { words: pageWords(), atMs: performance.now() };
    document.title = `${down === '' ? '' : `↓ ${down} · `}${shown.words} · Starling`;
  };
  const consider = (): void => {
    const waitMs = shown.atMs + TITLE_MS - performance.now();
    if (pageWords() !== shown.words || waitMs <= 0) {
      clearTimeout(timer);
      show();
    } else timer ??= setTimeout(show, waitMs);
  };
  route.subscribe(consider);
  node.subscribe(consider);
  show();
}
