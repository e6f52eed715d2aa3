/**
 * Asks before torrents are removed, and whether their files go, too.
 * @module
 */
import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Switch } from '../../parts/fields.tsx';
import { Name } from '../../parts/name.tsx';
import { act } from '../../state/actions.ts';
import { torrents } from '../../state/live.ts';
import { go, href, route } from '../../state/route.ts';
import { bytesText, countOf } from '../../words/format.ts';

// Sizes and times of the display
/** Names listed before "and n more". */
const MAX_NAMES = 5;

export function RemoveDialog({
  ids,
  onClose,
}: {
  readonly ids: readonly string[];
  readonly onClose: () => void;
}) {
  const [withFiles, setWithFiles] = useState(false);
  const rows = ids.flatMap((id) => torrents.get(id) ?? []);
  const bytes = rows.reduce((sum, { doneBytes }) => sum + doneBytes, 0);
  const remove = async (): Promise<void> => {
    if (!(await act(withFiles ? 'remove-with-files' : 'remove', ids))) return;
    onClose();
    const { page, parts } = route.get();
    // Details of what is gone would be left open.
    if (page === 'transfers' && ids.includes(parts[0] ?? '')) go(href('transfers'), true);
  };
  return (
    <Dialog title={`Remove ${countOf(ids.length, 'torrent')}?`} onClose={onClose}>
      <ul className="name-list">
        {rows.slice(0, MAX_NAMES).map(({ id, name }) => (
          <li key={id}>
            <Name text={name} />
          </li>
        ))}
        {rows.length > MAX_NAMES ? <li>and {rows.length - MAX_NAMES} more</li> : null}
      </ul>
      <Switch
        label={`Delete the files, too (${bytesText(bytes)})`}
        hint={withFiles ? 'They cannot be brought back.' : 'Files stay where they are.'}
        isOn={withFiles}
        onChange={setWithFiles}
      />
      <div className="dialog-foot">
        <Button onClick={onClose}>Keep</Button>
        <Button kind="danger" icon="remove" onClick={() => void remove()}>
          {withFiles ? 'Remove and delete files' : 'Remove'}
        </Button>
      </div>
    </Dialog>
  );
}
