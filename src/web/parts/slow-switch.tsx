/**
 * Switches the alternative limits on and off, from any page: what a person does who needs the line for something else for a while.
 * @module
 */
import type { NodeStatus } from '../../contract/index.ts';
import { request } from '../state/api.ts';
import { node } from '../state/live.ts';
import { attempt, tellNews } from '../state/notice.ts';
import { useRowPart } from '../state/use-collection.ts';
import { rateText } from '../words/format.ts';
import { Icon } from './icon.tsx';

const BY_SCHEDULE =
  'The schedule slows the node down now, and goes on to: change it in the settings, under Schedule.';

async function slowDown(isSlow: boolean): Promise<void> {
  await request('PATCH', '/settings', { 'schedule.always': isSlow });
  if (isSlow) return;
  // The schedule may say the same by itself; a switch that does nothing would say nothing either.
  const status = await request<NodeStatus>('GET', '/status');
  if (status.usesAlternativeLimits) tellNews(BY_SCHEDULE);
}

function limitWords({ downloadLimitBytesPerSec, uploadLimitBytesPerSec }: NodeStatus): string {
  const words = (bytes: number): string =>
    bytes === 0 ? 'no limit' : `at most ${rateText(bytes)}`;
  return `Download: ${words(downloadLimitBytesPerSec)}; upload: ${words(uploadLimitBytesPerSec)}`;
}

function limitsOf(status: NodeStatus | undefined): { isSlow: boolean; words: string } | undefined {
  if (status === undefined) return undefined;
  return { isSlow: status.usesAlternativeLimits, words: limitWords(status) };
}

export function SlowSwitch() {
  const limits = useRowPart(node, 'node', limitsOf);
  if (limits === undefined) return null;
  const { isSlow, words } = limits;
  return (
    <button
      type="button"
      className="button slow"
      aria-pressed={isSlow}
      title={`${isSlow ? 'The alternative limits hold. ' : ''}${words}`}
      onClick={() => void attempt(() => slowDown(!isSlow))}
    >
      <Icon name="speed" />
      <span>Slow</span>
    </button>
  );
}
