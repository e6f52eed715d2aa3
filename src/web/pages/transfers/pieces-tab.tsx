/**
 * Which pieces of a torrent are here: a map on a canvas, each cell a piece, or several when there are more than fit.
 * @module
 */
import { useEffect, useRef, useState } from 'react';
import type { TorrentDetails } from '../../../contract/index.ts';
import { colour, colours } from '../../state/theme.ts';
import { useValue } from '../../state/value.ts';
import { countSet, decodeBitfield, isSetIn } from '../../words/bitfield.ts';
import { bytesText, countText } from '../../words/format.ts';

// Sizes and times of the display
/** Cells of the map; beyond that a cell stands for several pieces. */
const MAX_CELLS = 6_000;
const CELL_PX = 9;

function draw(canvas: HTMLCanvasElement, pieces: Uint8Array, count: number, widthPx: number): void {
  const perCell = Math.max(1, Math.ceil(count / MAX_CELLS));
  const cells = Math.ceil(count / perCell);
  const columns = Math.max(1, Math.floor(widthPx / CELL_PX));
  const rows = Math.ceil(cells / columns);
  const scale = devicePixelRatio;
  canvas.width = columns * CELL_PX * scale;
  canvas.height = rows * CELL_PX * scale;
  canvas.style.width = `${columns * CELL_PX}px`;
  canvas.style.height = `${rows * CELL_PX}px`;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(scale, scale);
  const [have, missing] = [colour('accent'), colour('line')];
  for (let cell = 0; cell < cells; cell += 1) {
    let set = 0;
    const from = cell * perCell;
    const to = Math.min(count, from + perCell);
    for (let at = from; at < to; at += 1) if (isSetIn(pieces, at)) set += 1;
    const x = (cell % columns) * CELL_PX;
    const y = Math.floor(cell / columns) * CELL_PX;
    context.globalAlpha = 1;
    context.fillStyle = missing;
    context.fillRect(x, y, CELL_PX - 1.5, CELL_PX - 1.5);
    if (set === 0) continue;
    context.globalAlpha = 0.25 + 0.75 * (set / (to - from));
    context.fillStyle = have;
    context.fillRect(x, y, CELL_PX - 1.5, CELL_PX - 1.5);
  }
}

export function PiecesTab({ details }: { readonly details: TorrentDetails }) {
  const { pieces, pieceCount, pieceLengthBytes } = details;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [widthPx, setWidthPx] = useState(0);
  const shade = useValue(colours);
  const bits = decodeBitfield(pieces);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidthPx(entry!.contentRect.width));
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read from the style sheet.
  useEffect(() => {
    if (canvas.current !== null && widthPx > 0) {
      draw(canvas.current, decodeBitfield(pieces), pieceCount, widthPx);
    }
  }, [pieces, pieceCount, widthPx, shade]);
  if (pieceCount === 0) {
    return <p className="hint">The pieces are known once peers have told of the metadata.</p>;
  }
  const have = countSet(bits, pieceCount);
  return (
    <div ref={box}>
      <p className="hint">
        {countText(have)} of {countText(pieceCount)} pieces are here
        {pieceLengthBytes === null ? '' : `, ${bytesText(pieceLengthBytes)} each`}.
      </p>
      <canvas
        ref={canvas}
        className="piece-map"
        role="img"
        aria-label={`Map of pieces: ${have} of ${pieceCount} are here`}
      />
    </div>
  );
}
