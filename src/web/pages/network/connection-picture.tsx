/**
 * A picture of the connections: lines from this node, as wide as their rates, grouped by kind; and the same as a table.
 * @module
 */
import { memo } from 'react';
import type { Connection } from '../../../contract/index.ts';
import { Empty } from '../../parts/empty.tsx';
import { Name } from '../../parts/name.tsx';
import { Table } from '../../parts/table.tsx';
import { connections } from '../../state/live.ts';
import { useDerived, useIsLoaded, useRow, useRows } from '../../state/use-collection.ts';
import { spotOf, widthOf } from '../../words/circle.ts';
import { countOf, rateText } from '../../words/format.ts';
import { shownName } from '../../words/shown-name.ts';

// Sizes and times of the display
/** Connections drawn, the fastest first when there are more. */
const MAX_DRAWN = 120;
const MAX_LISTED = 300;
const RADIUS_X = 420;
const RADIUS_Y = 150;

type Kind = Connection['kind'];
const KINDS: Readonly<Record<Kind, string>> = {
  swarm: 'Swarms',
  channel: 'Contacts',
  relay: 'Relays',
  'web-seed': 'Web seeds',
};
const KIND_ORDER = Object.keys(KINDS) as readonly Kind[];

function rateOf(connection: Connection): number {
  return connection.downloadBytesPerSec + connection.uploadBytesPerSec;
}

/** Ids by kind, then by how they were found; the order changes only when connections come or go. */
function idsOf(rows: Iterable<Connection>): readonly string[] {
  let all = [...rows];
  if (all.length > MAX_DRAWN) {
    all = all.sort((a, b) => rateOf(b) - rateOf(a)).slice(0, MAX_DRAWN);
  }
  const key = ({ kind, source, id }: Connection): string =>
    `${KIND_ORDER.indexOf(kind)} ${source} ${id}`;
  return all.sort((a, b) => (key(a) < key(b) ? -1 : 1)).map(({ id }) => id);
}

const Link = memo(function Link({
  id,
  at,
  count,
}: {
  readonly id: string;
  readonly at: number;
  readonly count: number;
}) {
  const row = useRow(connections, id);
  if (row === undefined) return null;
  const { x, y } = spotOf(at, count, RADIUS_X, RADIUS_Y);
  const { downloadBytesPerSec: down, uploadBytesPerSec: up } = row;
  const direction = down === 0 && up === 0 ? 'idle' : down >= up ? 'down' : 'up';
  return (
    <g className={`link ${direction} ${row.kind}`}>
      <title>
        {`${shownName(row.label)} · ${shownName(row.address)} · ↓ ${rateText(down, '0')} ↑ ${rateText(up, '0')}`}
      </title>
      <path
        d={`M0 0 Q ${x * 0.35} ${y * 0.9} ${x} ${y}`}
        style={{ strokeWidth: widthOf(Math.max(down, up)) }}
      />
      <circle cx={x} cy={y} r={row.kind === 'channel' || row.kind === 'relay' ? 8 : 5} />
    </g>
  );
});

function Legend() {
  const counts = useDerived(connections, (all) => {
    const sums: Record<Kind, number> = { swarm: 0, channel: 0, relay: 0, 'web-seed': 0 };
    for (const { kind } of all.rows()) sums[kind] += 1;
    return sums;
  });
  return (
    <ul className="legend">
      {KIND_ORDER.filter((kind) => counts[kind] > 0).map((kind) => (
        <li key={kind} className={kind}>
          <span className="dot" aria-hidden="true" />
          {KINDS[kind]} {counts[kind]}
        </li>
      ))}
      <li className="down">— mostly receiving</li>
      <li className="up">— mostly giving</li>
    </ul>
  );
}

function ConnectionTable() {
  const rows = useRows(connections);
  const shown = [...rows].sort((a, b) => rateOf(b) - rateOf(a)).slice(0, MAX_LISTED);
  return (
    <Table
      caption="Connections"
      rows={shown}
      keyOf={({ id }) => id}
      columns={[
        { head: 'Who', cell: ({ label }) => <Name text={label} /> },
        { head: 'Address', cell: ({ address }) => <Name text={address} /> },
        { head: 'Kind', cell: ({ kind }) => KINDS[kind] },
        { head: 'Found by', cell: ({ source }) => <Name text={source} /> },
        { head: 'Way', cell: ({ isIncoming }) => (isIncoming ? 'came in' : 'dialled') },
        { head: 'Down', isNumber: true, cell: (row) => rateText(row.downloadBytesPerSec) },
        { head: 'Up', isNumber: true, cell: (row) => rateText(row.uploadBytesPerSec) },
      ]}
    />
  );
}

export function ConnectionPicture() {
  const ids = useDerived(
    connections,
    (all) => idsOf(all.rows()),
    (a, b) => a.join() === b.join(),
  );
  const isLoaded = useIsLoaded(connections);
  if (isLoaded && ids.length === 0) {
    return (
      <Empty icon="network" title="Nobody is connected">
        <p>Connections appear here once a torrent runs or a contact is met.</p>
      </Empty>
    );
  }
  return (
    <section className="card picture" aria-label="Connections">
      <svg
        viewBox="-450 -180 900 360"
        role="img"
        aria-label={`This node and ${countOf(ids.length, 'connection')}`}
      >
        {ids.map((id, at) => (
          <Link key={id} id={id} at={at} count={ids.length} />
        ))}
        <circle className="self" r="20" />
      </svg>
      <Legend />
      <details className="more">
        <summary>As a table</summary>
        <ConnectionTable />
      </details>
    </section>
  );
}
