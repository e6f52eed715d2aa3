/**
 * Where the peers of a torrent came from, and what came through each source.
 * @module
 */
import type { TorrentPeer } from '../../../contract/index.ts';
import { Bar } from '../../parts/bar.tsx';
import { Table } from '../../parts/table.tsx';
import { useParts } from '../../state/parts-of-torrent.ts';
import { bytesText } from '../../words/format.ts';

interface Source {
  readonly name: string;
  peers: number;
  downloadedBytes: number;
  uploadedBytes: number;
}

/** Peers and bytes by source, most peers first. */
function sourcesOf(peers: readonly TorrentPeer[]): Source[] {
  const sources = new Map<string, Source>();
  for (const { source, downloadedBytes, uploadedBytes } of peers) {
    const sum = sources.get(source) ?? {
      name: source,
      peers: 0,
      downloadedBytes: 0,
      uploadedBytes: 0,
    };
    sum.peers += 1;
    sum.downloadedBytes += downloadedBytes;
    sum.uploadedBytes += uploadedBytes;
    sources.set(source, sum);
  }
  return [...sources.values()].sort((a, b) => b.peers - a.peers);
}

export function SourcesTab() {
  const peers = useParts('peer');
  if (peers.length === 0) {
    return <p className="hint">Once peers are connected, this tells how each was found.</p>;
  }
  return (
    <Table
      caption="Sources of the connected peers"
      rows={sourcesOf(peers)}
      keyOf={({ name }) => name}
      columns={[
        { head: 'Found by', cell: ({ name }) => name },
        { head: 'Peers', isNumber: true, cell: (source) => source.peers },
        { head: 'Share', cell: (source) => <Bar share={source.peers / peers.length} /> },
        { head: 'Downloaded', isNumber: true, cell: (source) => bytesText(source.downloadedBytes) },
        { head: 'Uploaded', isNumber: true, cell: (source) => bytesText(source.uploadedBytes) },
      ]}
    />
  );
}
