/**
 * The columns of the list of torrents that can be shown or not.
 * @module
 */
import type { ReactNode } from 'react';
import type { TorrentRow } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Switch } from '../../parts/fields.tsx';
import { COLUMNS, type Column, columns, showColumn } from '../../state/columns.ts';
import { useValue } from '../../state/value.ts';
import { bytesText, durationText, rateText, ratioText, timeText } from '../../words/format.ts';

interface Shape {
  readonly head: string;
  /** The style sheet gives it its width. */
  readonly className: string;
  readonly cell: (row: TorrentRow) => ReactNode;
}

export const COLUMN_SHAPES: Readonly<Record<Column, Shape>> = {
  size: {
    head: 'Size',
    className: 'c-size',
    cell: ({ wantedBytes }) => (wantedBytes === 0 ? '' : bytesText(wantedBytes)),
  },
  down: {
    head: 'Down',
    className: 'c-rate down',
    cell: ({ downloadBytesPerSec }) => rateText(downloadBytesPerSec),
  },
  up: {
    head: 'Up',
    className: 'c-rate up',
    cell: ({ uploadBytesPerSec }) => rateText(uploadBytesPerSec),
  },
  eta: {
    head: 'Time left',
    className: 'c-eta',
    cell: ({ etaSeconds }) => (etaSeconds === null ? '' : durationText(etaSeconds)),
  },
  peers: {
    head: 'Peers',
    className: 'c-peers',
    cell: ({ connectedPeers }) => (connectedPeers === 0 ? '' : connectedPeers),
  },
  ratio: { head: 'Ratio', className: 'c-ratio', cell: ({ ratio }) => ratioText(ratio) },
  added: {
    head: 'Added',
    className: 'c-added',
    cell: ({ addedAtMs }) => timeText(addedAtMs),
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
