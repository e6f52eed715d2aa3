/**
 * Rates and totals over ten minutes, a day, a month or a year.
 * @module
 */
import { useEffect, useState } from 'react';
import type { Sample } from '../../contract/index.ts';
import { Facts } from '../parts/facts.tsx';
import { RatePlot } from '../parts/rate-plot.tsx';
import { request } from '../state/api.ts';
import { type History, joined } from '../state/joined-history.ts';
import { node } from '../state/live.ts';
import { tellProblem } from '../state/notice.ts';
import { NODE_KEY } from '../state/rate-history.ts';
import { useRow } from '../state/use-collection.ts';
import { useHistory } from '../state/use-history.ts';
import { bytesText, durationText, ratioText } from '../words/format.ts';

const SPANS = [
  ['10 minutes', 600],
  ['Day', 86_400],
  ['Month', 30 * 86_400],
  ['Year', 365 * 86_400],
] as const;

// Sizes and times of the display
const POINTS = 600;
const RELOAD_MS = 30_000;

/** The node's own samples of a span, read again from time to time. */
function useSamples(spanSec: number): History {
  const [data, setData] = useState<History>({ atSec: [], down: [], up: [] });
  useEffect(() => {
    let isOver = false;
    const load = async (): Promise<void> => {
      const toMs = Date.now();
      const query = `fromMs=${toMs - spanSec * 1000}&toMs=${toMs}&points=${POINTS}`;
      const { samples } = await request<{ samples: Sample[] }>('GET', `/statistics?${query}`);
      if (isOver) return;
      setData({
        atSec: samples.map(({ atMs }) => atMs / 1000),
        down: samples.map((sample) => sample.downloadBytesPerSec),
        up: samples.map((sample) => sample.uploadBytesPerSec),
      });
    };
    load().catch(tellProblem);
    const timer = setInterval(() => void load().catch(() => undefined), RELOAD_MS);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [spanSec]);
  return data;
}

function LivePlot({ spanSec }: { readonly spanSec: number }) {
  const live = useHistory(NODE_KEY);
  const past = useSamples(spanSec);
  return (
    <RatePlot data={joined(past, live)} spanSec={spanSec} label="Rates of the last ten minutes" />
  );
}

function PastPlot({ spanSec }: { readonly spanSec: number }) {
  const data = useSamples(spanSec);
  return (
    <>
      <RatePlot data={data} spanSec={spanSec} label="Rates over time" />
      {data.atSec.length > 1 ? null : (
        <p className="hint">The node has not run long enough to show this span.</p>
      )}
    </>
  );
}

function Totals() {
  const status = useRow(node, 'node');
  if (status === undefined) return null;
  const {
    downloadedBytes,
    uploadedBytes,
    allTimeDownloadedBytes: down,
    allTimeUploadedBytes: up,
  } = status;
  return (
    <Facts
      facts={[
        ['Since the start', `↓ ${bytesText(downloadedBytes)}  ↑ ${bytesText(uploadedBytes)}`],
        ['Of all time', `↓ ${bytesText(down)}  ↑ ${bytesText(up)}`],
        ['Ratio of all time', down === 0 ? 'nothing downloaded yet' : ratioText(up / down)],
        ['Runs for', durationText((Date.now() - status.startedAtMs) / 1000)],
        ['Torrents', `${status.torrents.total}, ${status.torrents.seeding} of them seeding`],
        ['Version', status.version],
      ]}
    />
  );
}

export function ActivityPage() {
  const [spanSec, setSpanSec] = useState<number>(600);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Activity</h1>
        <fieldset className="chips">
          <legend className="sr">Span</legend>
          {SPANS.map(([words, seconds]) => (
            <label key={words} className="chip">
              <input
                type="radio"
                name="span"
                checked={spanSec === seconds}
                onChange={() => setSpanSec(seconds)}
              />
              {words}
            </label>
          ))}
        </fieldset>
      </div>
      <section className="card" aria-label="Rates">
        {spanSec === 600 ? (
          <LivePlot spanSec={600} />
        ) : (
          <PastPlot key={spanSec} spanSec={spanSec} />
        )}
      </section>
      <Totals />
    </div>
  );
}
