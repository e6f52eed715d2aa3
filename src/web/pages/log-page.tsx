/**
 * The newest lines of the node's log, as they come.
 * @module
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import type { LogLine } from '../../contract/index.ts';
import { Switch } from '../parts/fields.tsx';
import { log, useTopics } from '../state/live.ts';
import { useRows } from '../state/use-collection.ts';
import { shownName } from '../words/shown-name.ts';

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;

// Sizes and times of the display
const LINE_PX = 24;

function Line({ line }: { readonly line: LogLine }) {
  return (
    <>
      <time>{new Date(line.atMs).toLocaleTimeString()}</time>
      <span className={`level ${line.level}`}>{line.level}</span>
      <span className="log-area">{line.area}</span>
      <bdi>{shownName(line.message)}</bdi>
    </>
  );
}

export function LogPage() {
  useTopics('log');
  const [level, setLevel] = useState<LogLine['level']>('info');
  const [follows, setFollows] = useState(true);
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useRows(log).filter((line) => LEVELS.indexOf(line.level) <= LEVELS.indexOf(level));
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines move the view while it follows.
  useEffect(() => {
    if (follows && lines.length > 0) virtualizer.scrollToIndex(lines.length - 1);
  }, [lines.length, follows]);
  return (
    <div className="page log-page">
      <div className="page-head">
        <h1>Log</h1>
        <select
          aria-label="Least level"
          value={level}
          onChange={({ target }) => setLevel(target.value as LogLine['level'])}
        >
          {LEVELS.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
        <Switch label="Follow" isOn={follows} onChange={setFollows} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard. */}
      <section ref={scroller} className="card log-lines" aria-label="Lines" tabIndex={0}>
        <ol style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, start }) => (
            <li key={lines[index]!.seq} style={{ transform: `translateY(${start}px)` }}>
              <Line line={lines[index]!} />
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}
