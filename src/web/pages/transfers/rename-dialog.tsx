/**
 * Gives a torrent, or a file of it, another name on the node's disk.
 * @module
 */
import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { request } from '../../state/api.ts';
import { torrents } from '../../state/live.ts';
import { attempt } from '../../state/notice.ts';

/** @param path of a file, as the list of files says it; undefined: the torrent's own name. */
export function RenameDialog({
  id,
  path,
  onClose,
}: {
  readonly id: string;
  readonly path: string | undefined;
  readonly onClose: () => void;
}) {
  const old = path?.split('/').at(-1) ?? torrents.get(id)?.name ?? '';
  const [name, setName] = useState(old);
  const rename = async (): Promise<void> => {
    const body = { name, ...(path === undefined ? {} : { path }) };
    if (await attempt(() => request('POST', `/torrents/${id}/rename`, body))) onClose();
  };
  return (
    <Dialog title="Rename" onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void rename();
        }}
      >
        <TextField
          label="Name"
          hint="On this disk and in this list. Others go on to know it by the torrent’s name."
          value={name}
          onChange={setName}
          autoFocus
        />
        <div className="dialog-foot">
          <Button onClick={onClose}>Keep</Button>
          <Button kind="primary" isSubmit disabled={name === '' || name === old}>
            Rename
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
