/**
 * Categories: names under which torrents go into a folder of their own.
 * @module
 */
import { type FormEvent, useState } from 'react';
import { Button, IconButton } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { PathField } from '../../parts/folder-picker.tsx';
import { Name } from '../../parts/name.tsx';
import { request } from '../../state/api.ts';
import { categories } from '../../state/live.ts';
import { attempt } from '../../state/notice.ts';
import { useRows } from '../../state/use-collection.ts';
import { shownName } from '../../words/shown-name.ts';

function where(name: string): string {
  return `/categories/${encodeURIComponent(name)}`;
}

export function CategoriesDialog({ onClose }: { readonly onClose: () => void }) {
  const rows = useRows(categories);
  const [name, setName] = useState('');
  const [dir, setDir] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const body = { name: name.trim(), ...(dir === '' ? {} : { dir }) };
    if (!(await attempt(() => request('PUT', where(body.name), body)))) return;
    setName('');
    setDir('');
  };
  return (
    <Dialog title="Categories" onClose={onClose}>
      {rows.length === 0 ? (
        <p className="hint">None yet. A category puts its torrents into a folder of its own.</p>
      ) : (
        <ul className="entries">
          {rows.map((row) => (
            <li key={row.name}>
              <span className="entry">
                <Name text={row.name} />
                {row.dir == null ? null : <Name className="mono hint" text={row.dir} />}
              </span>
              <IconButton
                icon="remove"
                label={`Remove the category ${shownName(row.name)}`}
                onClick={() => void attempt(() => request('DELETE', where(row.name)))}
              />
            </li>
          ))}
        </ul>
      )}
      <form className="form" onSubmit={(event) => void submit(event)}>
        <TextField label="New category" value={name} onChange={setName} />
        <PathField
          label="Its folder"
          hint="Empty: the folder of downloads."
          value={dir}
          onChange={setDir}
        />
        <div className="dialog-foot">
          <Button kind="primary" isSubmit disabled={name.trim() === ''}>
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
