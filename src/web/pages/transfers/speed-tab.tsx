/**
 * The rates of one torrent over the last ten minutes.
 * @module
 */
import { RatePlot } from '../../parts/rate-plot.tsx';
import { useHistory } from '../../state/use-history.ts';

export function SpeedTab({ id }: { readonly id: string }) {
  const data = useHistory(id);
  return (
    <>
      <RatePlot data={data} spanSec={600} label="Rates of the last ten minutes" />
      <p className="hint">
        Since this page was opened. Those of the whole node, over days, are on the page{' '}
        <a href="#/activity">Activity</a>.
      </p>
    </>
  );
}
