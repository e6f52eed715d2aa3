/**
 * What a torrent is and how it stands.
 * @module
 */
import type { TorrentDetails } from '../../../contract/index.ts';
import { Bar } from '../../parts/bar.tsx';
import { CopyButton } from '../../parts/button.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Name } from '../../parts/name.tsx';
import { torrentFileUrl } from '../../state/api.ts';
import {
  bytesText,
  countOf,
  countText,
  durationText,
  percentText,
  rateText,
  ratioText,
  timeText,
} from '../../words/format.ts';
import { stateText } from './torrent-line.tsx';

function limitText(bytesPerSec: number): string {
  return bytesPerSec === 0 ? 'none' : rateText(bytesPerSec);
}

function swarmText({ swarmSeeds, swarmLeeches }: TorrentDetails): string {
  if (swarmSeeds === null && swarmLeeches === null) return 'not known';
  return `${countOf(swarmSeeds ?? 0, 'seed')}, ${countOf(swarmLeeches ?? 0, 'leech', 'leeches')}`;
}

function shareText({ shareLimits }: TorrentDetails): string {
  const { ratio, seedingSeconds, idleSeconds, action = 'pause' } = shareLimits;
  const parts = [
    ...(ratio == null ? [] : [`ratio ${ratioText(ratio)}`]),
    ...(seedingSeconds == null ? [] : [`${durationText(seedingSeconds)} of seeding`]),
    ...(idleSeconds == null ? [] : [`${durationText(idleSeconds)} without a taker`]),
  ];
  return parts.length === 0 ? 'no end set' : `until ${parts.join(' or ')}, then ${action}`;
}

export function OverviewTab({ details }: { readonly details: TorrentDetails }) {
  const d = details;
  return (
    <>
      <div className="overview-head">
        <Bar share={d.state === 'checking' ? (d.checked ?? 0) : d.progress} state={d.state} />
        <p>
          <strong className="num">{percentText(d.progress)}</strong> {stateText(d)}
        </p>
      </div>
      <Facts
        facts={[
          ['Downloaded', `${bytesText(d.downloadedBytes)} (${bytesText(d.wastedBytes)} wasted)`],
          ['Uploaded', `${bytesText(d.uploadedBytes)}, ratio ${ratioText(d.ratio)}`],
          [
            'Rates',
            `↓ ${rateText(d.downloadBytesPerSec, '0 B/s')}  ↑ ${rateText(d.uploadBytesPerSec, '0 B/s')}`,
          ],
          [
            'Limits',
            `↓ ${limitText(d.downloadLimitBytesPerSec)}  ↑ ${limitText(d.uploadLimitBytesPerSec)}`,
          ],
          ['Size', `${bytesText(d.wantedBytes)} wanted of ${bytesText(d.totalBytes)}`],
          [
            'Pieces',
            d.pieceLengthBytes === null
              ? 'not known yet'
              : `${countText(d.pieceCount)} of ${bytesText(d.pieceLengthBytes)}; ${d.failedPieces} failed`,
          ],
          ['Connected', `${countOf(d.connectedPeers, 'peer')}, ${d.connectedSeeds} of them seeds`],
          ['Swarm', swarmText(d)],
          ['Gives', shareText(d)],
          ['Added', timeText(d.addedAtMs)],
          d.completedAtMs === null ? undefined : ['Completed', timeText(d.completedAtMs)],
          [
            'At work',
            `${durationText(d.activeSeconds)}, ${durationText(d.seedingSeconds)} of it seeding`,
          ],
          ['Folder', <Name key="dir" text={d.dir} />],
          d.comment === null ? undefined : ['Comment', <Name key="comment" text={d.comment} />],
          d.createdBy === null ? undefined : ['Made by', <Name key="by" text={d.createdBy} />],
          d.createdAtMs === null ? undefined : ['Made', timeText(d.createdAtMs)],
          d.infoHashV1 === null
            ? undefined
            : ['Info-hash v1', <code key="v1">{d.infoHashV1}</code>],
          d.infoHashV2 === null
            ? undefined
            : ['Info-hash v2', <code key="v2">{d.infoHashV2}</code>],
        ]}
      />
      <div className="row-of-buttons">
        <CopyButton text={d.magnet} label="Copy magnet link" />
        <a className="button plain" href={torrentFileUrl(d.id)} download>
          <Icon name="download" />
          <span>Torrent file</span>
        </a>
      </div>
    </>
  );
}
