/**
 * The rates of one torrent over the last ten minutes.
 * @module
 */
import { RatePlot } from '../../parts/rate-plot.tsx';
import { useHistory } from '../../state/use-history.ts';

export function SpeedTab({ id }: { readonly id: string }) {
  const data = useHistory(id);
  return <RatePlot data={data} spanSec={600} label="Rates of the last ten minutes" />;
}
