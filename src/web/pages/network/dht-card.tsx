/**
 * The DHT: its counts, and the neighbourhood by the number of bits that ids share with this node's.
 * @module
 */
import type { DhtFamily } from '../../../contract/index.ts';
import { Facts } from '../../parts/facts.tsx';
import { dht } from '../../state/live.ts';
import { useRows } from '../../state/use-collection.ts';
import { countText } from '../../words/format.ts';
import { shownName } from '../../words/shown-name.ts';

const WIDTH = 860;
const HEIGHT = 130;

/** Nodes by shared bits: a column a bit, the nearest to the right. */
function Neighbourhood({ nodes }: { readonly nodes: DhtFamily['nodes'] }) {
  const most = Math.max(8, ...nodes.map(({ sharedBits }) => sharedBits));
  const heights = new Map<number, number>();
  const step = WIDTH / (most + 1);
  return (
    <svg
      className="neighbourhood"
      viewBox={`0 0 ${WIDTH} ${HEIGHT + 22}`}
      role="img"
      aria-label={`${nodes.length} nearest nodes, sharing up to ${most} bits with this node’s id`}
    >
      {nodes.map(({ id, address, sharedBits, isGood }) => {
        const level = heights.get(sharedBits) ?? 0;
        heights.set(sharedBits, level + 1);
        return (
          <circle
            key={`${id} ${address}`}
            className={isGood ? 'good' : 'doubtful'}
            cx={(sharedBits + 0.5) * step}
            cy={Math.max(6, HEIGHT - 8 - level * 11)}
            r="4.5"
          >
            <title>{`${shownName(address)}, ${sharedBits} shared bits`}</title>
          </circle>
        );
      })}
      <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
      {Array.from({ length: Math.floor(most / 4) + 1 }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the marks are the numbers themselves.
        <text key={at} x={(at * 4 + 0.5) * step} y={HEIGHT + 16}>
          {at * 4}
        </text>
      ))}
    </svg>
  );
}

function Family({ family }: { readonly family: DhtFamily }) {
  const { queriesSent, answersReceived } = family;
  const share = queriesSent === 0 ? 0 : Math.round((100 * answersReceived) / queriesSent);
  return (
    <div className="stack">
      <h3>IPv{family.family}</h3>
      <Facts
        facts={[
          ['Good nodes', countText(family.good)],
          ['In doubt', countText(family.questionable)],
          ['Size of the network', `about ${countText(Math.round(family.networkSize))}`],
          ['Answers to our queries', `${share} %`],
          ['Queries of others', countText(family.queriesReceived)],
          ['Our id', <code key="id">{family.id}</code>],
        ]}
      />
      <Neighbourhood nodes={family.nodes} />
      <p className="hint">Nearest nodes by shared bits: the further right, the nearer.</p>
    </div>
  );
}

export function DhtCard() {
  const families = useRows(dht);
  return (
    <section className="card stack" aria-labelledby="dht-head">
      <h2 id="dht-head">DHT</h2>
      {families.length === 0 ? (
        <p className="hint">
          It is off, or has not begun. It finds peers without any tracker; a setting turns it on.
        </p>
      ) : (
        families.map((family) => <Family key={family.family} family={family} />)
      )}
    </section>
  );
}
