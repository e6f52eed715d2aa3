/**
 * The trackers of a torrent as a text that can be changed.
 * @module
 */
import { useState } from 'react';
import { parseTiers } from '../../../contract/tiers.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { change } from '../../state/actions.ts';

/** @param text its trackers of now. */
export function TrackersDialog({
  id,
  text: before,
  onClose,
}: {
  readonly id: string;
  readonly text: string;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState(before);
  const submit = async (): Promise<void> => {
    if (await change([id], { trackers: parseTiers(text) })) onClose();
  };
  return (
    <Dialog title="Trackers" onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField
          label="Trackers"
          hint="An address a line. A blank line begins a tier: trackers of a tier stand in for each other."
          isLong
          autoFocus
          value={text}
          onChange={setText}
        />
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" isSubmit disabled={text === before}>
            Change
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
