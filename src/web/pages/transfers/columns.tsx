/**
 * The columns of the list of torrents that can be shown or not.
 * @module
 */
import type { TorrentRow } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Switch } from '../../parts/fields.tsx';
import { COLUMNS, type Column, columns, showColumn } from '../../state/columns.ts';
import { useValue } from '../../state/value.ts';
import {
  bytesText,
  countText,
  durationText,
  rateText,
  ratioText,
  timeText,
} from '../../words/format.ts';

interface Shape {
  readonly head: string;
  /** The style sheet gives it its width. */
  readonly className: string;
  readonly text: (row: TorrentRow) => string;
}

export const COLUMN_SHAPES: Readonly<Record<Column, Shape>> = {
  size: {
    head: 'Size',
    className: 'c-size',
    text: ({ wantedBytes }) => (wantedBytes === 0 ? '' : bytesText(wantedBytes)),
  },
  down: {
    head: 'Down',
    className: 'c-rate down',
    text: ({ downloadBytesPerSec }) => rateText(downloadBytesPerSec),
  },
  up: {
    head: 'Up',
    className: 'c-rate up',
    text: ({ uploadBytesPerSec }) => rateText(uploadBytesPerSec),
  },
  eta: {
    head: 'Time left',
    className: 'c-eta',
    text: ({ etaSeconds }) => (etaSeconds === null ? '' : durationText(etaSeconds)),
  },
  peers: {
    head: 'Peers',
    className: 'c-peers',
    text: ({ connectedPeers }) => (connectedPeers === 0 ? '' : countText(connectedPeers)),
  },
  ratio: { head: 'Ratio', className: 'c-ratio', text: ({ ratio }) => ratioText(ratio) },
  added: {
    head: 'Added',
    className: 'c-added',
    text: ({ addedAtMs }) => timeText(addedAtMs),
  },
};

export function ColumnsDialog({ onClose }: { readonly onClose: () => void }) {
  const shown = useValue(columns);
  return (
    <Dialog title="Columns" onClose={onClose}>
      <p className="hint">In a narrow window, some of them make room for the others.</p>
      {COLUMNS.map((column) => (
        <Switch
          key={column}
          label={COLUMN_SHAPES[column].head}
          isOn={shown.includes(column)}
          onChange={(isOn) => showColumn(column, isOn)}
        />
      ))}
      <div className="dialog-foot">
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
