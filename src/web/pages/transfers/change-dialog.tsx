/**
 * Changes one torrent, or several alike: category, tags, limits, order, place in the queue, folder. What is left as it was is not touched.
 * @module
 */
import { type FormEvent, useState } from 'react';
import type { ChangeTorrent, TorrentRow } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field, TextField } from '../../parts/fields.tsx';
import { PathField } from '../../parts/folder-picker.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Name } from '../../parts/name.tsx';
import { change } from '../../state/actions.ts';
import { categories, torrents } from '../../state/live.ts';
import { useKeys } from '../../state/use-collection.ts';
import { bytesText, countOf, parseBytes } from '../../words/format.ts';
import { shownName } from '../../words/shown-name.ts';

interface Draft {
  readonly category: string;
  readonly tags: string;
  readonly down: string;
  readonly up: string;
  readonly ratio: string;
  readonly order: string;
  readonly queue: string;
  readonly dir: string;
}

const AS_IT_IS = '=';

/** What all rows agree on; of what they do not, nothing. */
function draftOf(rows: readonly TorrentRow[]): Draft {
  const same = <T,>(value: (row: TorrentRow) => T, other: T): T => {
    const first = rows[0] === undefined ? other : value(rows[0]);
    return rows.every((row) => value(row) === first) ? first : other;
  };
  const limit = (bytes: number | undefined): string =>
    bytes === undefined ? '' : bytes === 0 ? '0' : bytesText(bytes);
  return {
    category: same((row) => row.category ?? '', AS_IT_IS),
    tags: same((row) => row.tags.join(', '), ''),
    down: limit(same<number | undefined>((row) => row.downloadLimitBytesPerSec, undefined)),
    up: limit(same<number | undefined>((row) => row.uploadLimitBytesPerSec, undefined)),
    ratio: '',
    order: AS_IT_IS,
    queue: AS_IT_IS,
    dir: '',
  };
}

function limitOf(text: string, what: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined) {
    throw new Error(
      `${what}: expected a size such as 500 K or 2.5 M, or 0 for none; got “${text}”.`,
    );
  }
  return bytes;
}

/** What is another one than it was. @throws {Error} that says what was expected. */
function changesOf(before: Draft, now: Draft): ChangeTorrent {
  const isOther = (key: keyof Draft): boolean => now[key] !== before[key];
  const ratio = Number(now.ratio.replace(',', '.'));
  if (isOther('ratio') && Number.isNaN(ratio)) {
    throw new Error(`Ratio: expected a number, got “${now.ratio}”.`);
  }
  return {
    ...(isOther('category') ? { category: now.category === '' ? null : now.category } : {}),
    ...(isOther('tags') ? { tags: now.tags.split(',').flatMap((tag) => tag.trim() || []) } : {}),
    ...(isOther('down') ? { downloadLimitBytesPerSec: limitOf(now.down, 'Download') } : {}),
    ...(isOther('up') ? { uploadLimitBytesPerSec: limitOf(now.up, 'Upload') } : {}),
    ...(isOther('ratio') ? { shareLimits: { ratio } } : {}),
    ...(isOther('order') ? { isSequential: now.order === 'sequential' } : {}),
    ...(isOther('queue') ? { queue: now.queue as 'top' } : {}),
    ...(isOther('dir') ? { dir: now.dir } : {}),
  };
}

type Fields = { readonly draft: Draft; readonly set: (changes: Partial<Draft>) => void };

function GroupFields({ draft, set }: Fields) {
  const names = useKeys(categories);
  return (
    <div className="pair">
      <Field label="Category">
        {(ids) => (
          <select
            {...ids}
            value={draft.category}
            onChange={({ target }) => set({ category: target.value })}
          >
            {draft.category === AS_IT_IS ? <option value={AS_IT_IS}>As they are</option> : null}
            <option value="">None</option>
            {names.map((name) => (
              <option key={name} value={name}>
                {shownName(name)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <TextField
        label="Tags"
        hint="With commas between them."
        value={draft.tags}
        onChange={(tags) => set({ tags })}
      />
    </div>
  );
}

function LimitFields({ draft, set }: Fields) {
  return (
    <div className="pair">
      <TextField
        label="Download limit a second"
        hint="500 K, 2.5 M; 0: none."
        value={draft.down}
        onChange={(down) => set({ down })}
      />
      <TextField label="Upload limit a second" value={draft.up} onChange={(up) => set({ up })} />
      <TextField
        label="Stop seeding at ratio"
        hint="Empty: as it is."
        inputMode="decimal"
        value={draft.ratio}
        onChange={(ratio) => set({ ratio })}
      />
    </div>
  );
}

function OrderFields({ draft, set }: Fields) {
  return (
    <div className="pair">
      <Field label="Order of pieces">
        {(ids) => (
          <select
            {...ids}
            value={draft.order}
            onChange={({ target }) => set({ order: target.value })}
          >
            <option value={AS_IT_IS}>As it is</option>
            <option value="rarest">Rarest first</option>
            <option value="sequential">From beginning to end</option>
          </select>
        )}
      </Field>
      <Field label="Place in the queue">
        {(ids) => (
          <select
            {...ids}
            value={draft.queue}
            onChange={({ target }) => set({ queue: target.value })}
          >
            <option value={AS_IT_IS}>As it is</option>
            <option value="top">First</option>
            <option value="up">One up</option>
            <option value="down">One down</option>
            <option value="bottom">Last</option>
          </select>
        )}
      </Field>
    </div>
  );
}

export function ChangeDialog({
  ids,
  onClose,
}: {
  readonly ids: readonly string[];
  readonly onClose: () => void;
}) {
  const rows = ids.flatMap((id) => torrents.get(id) ?? []);
  const [before] = useState(() => draftOf(rows));
  const [draft, setDraft] = useState(before);
  const [problem, setProblem] = useState<string>();
  const set = (changes: Partial<Draft>): void => setDraft({ ...draft, ...changes });
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      const changes = changesOf(before, draft);
      if (Object.keys(changes).length === 0 || (await change(ids, changes))) onClose();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <Dialog title={`Change ${countOf(ids.length, 'torrent')}`} onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        {rows.length === 1 ? (
          <p>
            <Name text={rows[0]!.name} />
          </p>
        ) : null}
        <GroupFields draft={draft} set={set} />
        <LimitFields draft={draft} set={set} />
        <OrderFields draft={draft} set={set} />
        <PathField
          label="Move the files to"
          hint="Empty: they stay where they are."
          value={draft.dir}
          onChange={(dir) => set({ dir })}
        />
        {problem === undefined ? null : (
          <p className="problem" role="alert">
            <Icon name="warning" /> {problem}
          </p>
        )}
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" isSubmit>
            Change
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
