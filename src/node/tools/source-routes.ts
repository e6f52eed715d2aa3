/**
 * Questions about a torrent that is not in the list: what it holds, what its trackers count, who has it.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import Type, { type Static } from 'typebox';
import type { AddTorrent } from '../../contract/index.ts';
import { printableLine } from '../../lib/printable.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { PeerNode } from '../peer-node.ts';
import { PeerSearch } from '../peer-search.ts';
import { scrapeTrackers } from '../scrape.ts';
import { describeSource } from '../source.ts';
import type { TorrentSource } from '../torrent-types.ts';
import { idOf } from '../torrents/torrent-entry.ts';

// Implementation limits
/** Body of a request that holds a torrent file of 128 MiB as base64. */
const MAX_TORRENT_BODY_BYTES = 192 * 1024 * 1024;
/** Searches for peers at a time. */
const MAX_SEARCHES = 4;
/** How long is looked unless another time is given, and at most. */
const SEARCH_SECONDS = 15;
const MAX_SEARCH_SECONDS = 120;

const tags = ['tools'];

const SOURCE = {
  link: Type.Optional(
    Type.String({ maxLength: 65_536, description: 'As in POST /api/v1/torrents.' }),
  ),
  torrent: Type.Optional(Type.String({ maxLength: 180_000_000, description: 'base64' })),
};
const Source = Type.Object(SOURCE, {
  $id: 'TorrentSource',
  additionalProperties: false,
  description: 'One of `link` and `torrent`.',
});
const FindPeers = Type.Object(
  {
    ...SOURCE,
    seconds: Type.Optional(
      Type.Integer({ minimum: 0, maximum: MAX_SEARCH_SECONDS, description: 'Default 15.' }),
    ),
    peers: Type.Optional(
      Type.Array(Type.String({ maxLength: 300, description: 'HOST:PORT' }), { maxItems: 200 }),
    ),
  },
  { $id: 'FindPeers', additionalProperties: false },
);
const FoundPeer = Type.Object(
  {
    address: Type.String(),
    source: Type.String({ description: 'How it was found.' }),
    state: Type.Union([Type.Literal('connected'), Type.Literal('closed'), Type.Literal('failed')]),
    client: Type.String(),
    reason: Type.String({ description: 'Why it is not connected.' }),
  },
  { $id: 'FoundPeer' },
);

/** What the routes need of the rest of the node. */
export interface SourceRoutesNeeds {
  readonly node: PeerNode;
  readonly sourceOf: (wish: Pick<AddTorrent, 'link' | 'torrent'>) => Promise<TorrentSource>;
  /** The list has this torrent. */
  readonly isKnown: (id: string) => boolean;
  readonly signal: AbortSignal;
}

/** Declares them. */
export function sourceRoutes(api: Api, needs: SourceRoutesNeeds): void {
  const { sourceOf, signal } = needs;
  const bodyLimit = MAX_TORRENT_BODY_BYTES;
  const Facts = Type.Record(Type.String(), Type.Unknown());
  api.post(
    '/tools/info',
    {
      bodyLimit,
      schema: {
        tags,
        summary: 'All that a link or torrent file says',
        body: Source,
        response: { 200: Facts },
      },
    },
    async ({ body }) => ({ ...describeSource(await sourceOf(body)) }),
  );
  api.post(
    '/tools/scrape',
    {
      bodyLimit,
      schema: {
        tags,
        summary: 'What the trackers of a link or torrent file count',
        body: Source,
        response: { 200: Type.Array(Facts) },
      },
    },
    async ({ body }) => {
      const source = await sourceOf(body);
      // Those of a file were always asked wherever they are; a link comes from anywhere.
      const given = source.kind === 'metainfo' ? source.metainfo.trackers.flat() : [];
      return (await scrapeTrackers(source, { given, signal })).map((each) => ({ ...each }));
    },
  );
  peersRoute(api, needs);
}

function peersRoute(api: Api, { node, sourceOf, isKnown, signal }: SourceRoutesNeeds): void {
  let running = 0;
  api.post(
    '/tools/peers',
    {
      bodyLimit: MAX_TORRENT_BODY_BYTES,
      schema: {
        tags,
        summary: 'Look for the peers of a torrent by every way there is, without fetching it',
        body: FindPeers,
        response: { 200: Type.Object({ peers: Type.Array(FoundPeer) }) },
      },
    },
    async ({ body }) => {
      const { seconds = SEARCH_SECONDS, peers = [], ...wish } = body;
      const source = await sourceOf(wish);
      if (isKnown(idOf(source))) {
        const remedy = `GET /api/v1/torrents/${idOf(source)} shows its peers`;
        throw apiError('ERR_API_CONFLICT', { reason: 'This torrent is in the list', remedy });
      }
      if (running >= MAX_SEARCHES) {
        throw apiError('ERR_API_TOO_MANY', { what: 'searches for peers', most: MAX_SEARCHES });
      }
      running += 1;
      const torrent = node.prepare({ source, dir: node.home, mode: 'look', peers });
      try {
        const search = new PeerSearch(torrent);
        await torrent.start();
        await sleep(seconds * 1_000, undefined, { signal, ref: false }).catch(() => {});
        return { peers: search.list().map(shown) };
      } finally {
        running -= 1;
        await torrent.stop();
      }
    },
  );
}

/** What peers say of themselves and of errors is theirs. */
function shown(peer: ReturnType<PeerSearch['list']>[number]): Static<typeof FoundPeer> {
  return { ...peer, client: printableLine(peer.client), reason: printableLine(peer.reason) };
}
