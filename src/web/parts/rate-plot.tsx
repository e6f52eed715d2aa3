/**
 * Rates over time, plotted by uPlot in the colours of the style sheet. A table of the last values stands behind it for who cannot see it.
 * @module
 */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { colour, colours } from '../state/theme.ts';
import { useValue } from '../state/value.ts';
import { rateText } from '../words/format.ts';

export interface RateData {
  readonly atSec: readonly number[];
  readonly down: readonly (number | null)[];
  readonly up: readonly (number | null)[];
}

// Sizes and times of the display
const HEIGHT_PX = 220;
/** The scale is never smaller than this, so that noise does not look like a rate. */
const MIN_TOP = 10 * 1024;

function dataOf({ atSec, down, up }: RateData): uPlot.AlignedData {
  return [[...atSec], [...down], [...up]] as uPlot.AlignedData;
}

/** Steps of the scale: powers of two, as the units are. */
const STEPS = Array.from({ length: 40 }, (_, at) => 2 ** (at + 4));

/** Hours and minutes within a day, days beyond. */
function momentsOf(atSec: readonly number[]): string[] {
  const spanSec = (atSec.at(-1) ?? 0) - (atSec[0] ?? 0);
  return atSec.map((sec) => {
    const date = new Date(sec * 1000);
    return spanSec < 100_000
      ? date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })
      : date.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  });
}

function optionsOf(widthPx: number, spanSec: number | undefined): uPlot.Options {
  const grid = { stroke: colour('line'), width: 1 };
  const axis = { stroke: colour('muted'), font: '11px system-ui', grid, ticks: { show: false } };
  return {
    width: widthPx,
    height: HEIGHT_PX,
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x:
        spanSec === undefined
          ? {}
          : {
              range: (_plot, _min, max) => {
                const end = Number.isFinite(max) && max > 0 ? max : Date.now() / 1000;
                return [end - spanSec, end];
              },
            },
      y: { range: (_plot, _min, max) => [0, Math.max(MIN_TOP, (max ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, space: 80, size: 28, values: (_plot, splits) => momentsOf(splits) },
      {
        ...axis,
        size: 84,
        incrs: STEPS,
        values: (_plot, values) => values.map((each) => rateText(each, '0')),
      },
    ],
    series: [
      {},
      { label: 'Down', stroke: colour('down'), width: 1.75, fill: `${colour('down')}22` },
      { label: 'Up', stroke: colour('up'), width: 1.75, fill: `${colour('up')}18` },
    ],
  };
}

function lastOf(values: readonly (number | null)[]): string {
  return rateText(values.at(-1) ?? 0, '0 B/s');
}

/** @param spanSec the time shown; as much as there is when left out. */
export function RatePlot({
  data,
  spanSec,
  label,
}: {
  readonly data: RateData;
  readonly spanSec?: number;
  readonly label: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const shade = useValue(colours);
  // biome-ignore lint/correctness/useExhaustiveDependencies: later data is set below; the colours are read from the style sheet.
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(element.clientWidth, spanSec), dataOf(data), element);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [spanSec, shade]);
  useEffect(() => plot.current?.setData(dataOf(data)), [data]);
  return (
    <figure className="plot">
      <figcaption>
        <span className="down">↓ {lastOf(data.down)}</span>
        <span className="up">↑ {lastOf(data.up)}</span>
        <span className="sr">{label}</span>
      </figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  );
}
