/**
 * How this node stands in the network: a live picture, the doctor, the DHT, and what is revealed to whom.
 * @module
 */
import { Facts } from '../../parts/facts.tsx';
import { Name } from '../../parts/name.tsx';
import { node, useTopics } from '../../state/live.ts';
import { useRow } from '../../state/use-collection.ts';
import { countText } from '../../words/format.ts';
import { ConnectionPicture } from './connection-picture.tsx';
import { DhtCard } from './dht-card.tsx';
import { Disclosures } from './disclosures.tsx';
import { Doctor } from './doctor.tsx';

export function NetworkPage() {
  useTopics('connections', 'dht');
  const status = useRow(node, 'node');
  return (
    <div className="page">
      <div className="page-head">
        <h1>Network</h1>
        {status?.isOffline === true ? <span className="label">offline on purpose</span> : null}
      </div>
      <ConnectionPicture />
      {status === undefined ? null : (
        <Facts
          facts={[
            ['Listens at', <Name key="listen" text={status.listen.join(', ')} />],
            ['Seen from outside as', status.externalAddress ?? 'not known yet'],
            ['Router', status.portMapping ?? 'maps no port'],
            ['Connections', countText(status.connectedPeers)],
            ['Peer id', <code key="id">{status.peerId}</code>],
          ]}
        />
      )}
      <Doctor />
      <DhtCard />
      <Disclosures />
    </div>
  );
}
