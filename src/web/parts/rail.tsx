/**
 * The rail of pages at the left, a bar at the bottom of a narrow window; with the state of the node at a glance.
 * @module
 */
import type { NodeStatus } from '../../contract/index.ts';
import { node, transfers } from '../state/live.ts';
import { overlay } from '../state/overlay.ts';
import { href, type PAGES, route } from '../state/route.ts';
import { servicePages } from '../state/service-pages.ts';
import { useDerived, useRowPart } from '../state/use-collection.ts';
import { useValue } from '../state/value.ts';
import { bytesText, countOf, rateText } from '../words/format.ts';
import { PAGE_WORDS } from '../words/page-words.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';
import { LiveText } from './live.tsx';
import { SlowSwitch } from './slow-switch.tsx';
import { ThemeSwitch } from './theme-switch.tsx';

const PLACE = { of: node, id: 'node' } as const;
const downWords = (status: NodeStatus): string => rateText(status.downloadBytesPerSec, '0 B/s');
const upWords = (status: NodeStatus): string => rateText(status.uploadBytesPerSec, '0 B/s');
const peerWords = ({ connectedPeers, dhtNodes }: NodeStatus): string =>
  `${countOf(connectedPeers, 'peer')} · ${countOf(dhtNodes, 'DHT node')}`;
const spaceWords = ({ freeBytes }: NodeStatus): string => `${bytesText(freeBytes ?? 0)} free`;

/** Rates, connections and space; a strip above the pages in a narrow window. */
function Glance() {
  const hasSpace = useRowPart(node, 'node', (status) => status && status.freeBytes !== null);
  if (hasSpace === undefined) return null;
  return (
    <dl className="glance">
      <div className="down">
        <dt>
          <Icon name="down" />
          <span className="sr">Download rate</span>
        </dt>
        <dd>
          <LiveText {...PLACE} words={downWords} />
        </dd>
      </div>
      <div className="up">
        <dt>
          <Icon name="up" />
          <span className="sr">Upload rate</span>
        </dt>
        <dd>
          <LiveText {...PLACE} words={upWords} />
        </dd>
      </div>
      <div className="wide">
        <dt className="sr">Connections</dt>
        <dd>
          <LiveText {...PLACE} words={peerWords} />
        </dd>
      </div>
      {hasSpace ? (
        <div className="wide">
          <dt className="sr">Disk</dt>
          <dd>
            <LiveText {...PLACE} words={spaceWords} />
          </dd>
        </div>
      ) : null}
    </dl>
  );
}

/** How many transfers wait for a person. */
function useOffers(): number {
  return useDerived(
    transfers,
    (all) => [...all.rows()].filter(({ state }) => state === 'offered').length,
  );
}

export function Rail() {
  const { page, parts } = useValue(route);
  const pages = useValue(servicePages);
  const offers = useOffers();
  return (
    <header className="rail">
      <a className="brand" href={href('transfers')}>
        <img src={new URL('../icon.svg', import.meta.url).href} alt="" width="26" height="26" />
        <span>Starling</span>
      </a>
      <nav aria-label="Pages">
        <ul>
          {(Object.keys(PAGE_WORDS) as (typeof PAGES)[number][]).map((key) => (
            <li key={key}>
              <a href={href(key)} aria-current={page === key ? 'page' : undefined}>
                <Icon name={key} />
                <span>{PAGE_WORDS[key]}</span>
                {key === 'send' && offers > 0 ? (
                  <strong className="badge">
                    {offers}
                    <span className="sr"> waiting for your answer</span>
                  </strong>
                ) : null}
              </a>
            </li>
          ))}
          {pages.map(({ name, title }) => (
            <li key={name}>
              <a
                href={href('service', name)}
                aria-current={page === 'service' && parts[0] === name ? 'page' : undefined}
              >
                <Icon name="more" />
                <span>{title}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div className="state-of-node">
        <Glance />
        <SlowSwitch />
      </div>
      <div className="rail-foot">
        <ThemeSwitch />
        <IconButton
          icon="help"
          label="Keyboard shortcuts (?)"
          onClick={() => overlay.set({ kind: 'help' })}
        />
      </div>
    </header>
  );
}
