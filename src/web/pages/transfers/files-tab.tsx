/**
 * The files of a torrent: how far each is, how much it is wanted, play and download.
 * @module
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useRef } from 'react';
import type { TorrentFile } from '../../../contract/index.ts';
import { Bar } from '../../parts/bar.tsx';
import { IconButton } from '../../parts/button.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Name } from '../../parts/name.tsx';
import { change } from '../../state/actions.ts';
import { contentUrl } from '../../state/api.ts';
import { overlay } from '../../state/overlay.ts';
import { useParts } from '../../state/parts-of-torrent.ts';
import { href } from '../../state/route.ts';
import { bytesText, percentText } from '../../words/format.ts';
import { shownName } from '../../words/shown-name.ts';

// Sizes and times of the display
/** Height of a file's line, in CSS pixels; the style sheet says the same. */
const FILE_PX = 40;

const PRIORITIES: readonly (readonly [number, string])[] = [
  [0, 'Not wanted'],
  [1, 'Low'],
  [4, 'Normal'],
  [7, 'High'],
];

/** The named priority that a number belongs to. */
function named(priority: number): number {
  if (priority === 0) return 0;
  return priority < 4 ? 1 : priority === 4 ? 4 : 7;
}

const FileLine = memo(function FileLine({
  id,
  file,
  topPx,
}: {
  readonly id: string;
  readonly file: TorrentFile;
  readonly topPx: number;
}) {
  const { index, path, lengthBytes, doneBytes, priority, mediaType } = file;
  const share = lengthBytes === 0 ? 1 : doneBytes / lengthBytes;
  const name = shownName(path);
  return (
    <li className="file-line" style={{ transform: `translateY(${topPx}px)` }}>
      <Name className={priority === 0 ? 'name unwanted' : 'name'} text={path} />
      <span className="num size">{bytesText(lengthBytes)}</span>
      <Bar share={share} state={share >= 1 ? 'seeding' : 'downloading'} />
      <span className="num share">{percentText(share)}</span>
      <select
        aria-label={`Priority of ${name}`}
        value={named(priority)}
        onChange={({ target }) =>
          void change([id], { files: [{ index, priority: Number(target.value) }] })
        }
      >
        {PRIORITIES.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      <IconButton
        icon="pen"
        label={`Rename ${name}`}
        onClick={() => overlay.set({ kind: 'rename', id, path })}
      />
      {mediaType === null ? (
        <span className="button icon-only" />
      ) : (
        <a
          className="button icon-only"
          href={href('play', id, index)}
          aria-label={`Play ${name}`}
          title="Play"
        >
          <Icon name="play" />
        </a>
      )}
      <a
        className="button icon-only"
        href={contentUrl(id, index, true)}
        aria-label={`Download ${name} to this browser`}
        title="Download to this browser"
        download
      >
        <Icon name="download" />
      </a>
    </li>
  );
});

export function FilesTab({ id }: { readonly id: string }) {
  const files = useParts('file');
  const list = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: files.length,
    getScrollElement: () => list.current?.closest('.tab-panel') ?? null,
    estimateSize: () => FILE_PX,
    overscan: 8,
  });
  if (files.length === 0) {
    return <p className="hint">The files are known once peers have told of the metadata.</p>;
  }
  return (
    <div ref={list}>
      <ul className="file-lines" style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => (
          <FileLine key={index} id={id} file={files[index]!} topPx={start} />
        ))}
      </ul>
    </div>
  );
}
