/**
 * What the user should hear of on any page: a torrent is complete or in trouble, somebody offers something, a transfer ended.
 * @module
 */
import { personName, shownName } from '../words/shown-name.ts';
import { torrents, transfers } from './live.ts';
import { tellNews, tellProblem } from './notice.ts';

/** Calls for every row whose state is another one than before; not for the first sight of a row. */
function follow<Row extends { readonly id: string; readonly state: string }>(
  collection: {
    readonly subscribe: (listener: () => void) => unknown;
    readonly rows: () => Iterable<Row>;
    readonly isLoaded: boolean;
  },
  onChange: (row: Row, before: string | undefined) => void,
): void {
  let known: Map<string, string> | undefined;
  collection.subscribe(() => {
    if (!collection.isLoaded) return;
    const next = new Map<string, string>();
    for (const row of collection.rows()) {
      next.set(row.id, row.state);
      const before = known?.get(row.id);
      if (known !== undefined && before !== row.state) onChange(row, before);
    }
    known = next;
  });
}

export function beginNews(): void {
  follow(torrents, ({ name, state, error }, before) => {
    if (before === 'downloading' && state === 'seeding') tellNews(`Complete: ${shownName(name)}`);
    if (before !== undefined && state === 'error') {
      tellProblem(new Error(`${name}: ${error ?? 'it has a problem; open it for more.'}`));
    }
  });
  follow(transfers, ({ direction, name, state, contact, error }) => {
    const who = contact === null ? 'The sender' : personName(contact);
    if (state === 'offered')
      tellNews(`${who} offers you ${shownName(name)}. Answer on “Send & receive”.`);
    if (state === 'complete') {
      tellNews(`${direction === 'send' ? 'Sent' : 'Received'}: ${shownName(name)}`);
    }
    if (state === 'failed') tellProblem(new Error(`${name}: ${error ?? 'it failed.'}`));
  });
}
