/**
 * This node's identity and the people it knows, as a service.
 * @module
 */
import Type from 'typebox';
import {
  AddContact,
  ChangeContact,
  Contact as ContactRow,
  CopyIdentity,
  Done,
  IdentityCard,
  SealedIdentity,
} from '../../contract/index.ts';
import { formatEndpoint } from '../address.ts';
import type { ChannelService } from '../channel/channel-service.ts';
import type { PeerPath } from '../channel/types.ts';
import {
  type Contact,
  type Contacts,
  cardLink,
  fingerprintOfText,
  relayHintOf,
} from '../contacts.ts';
import type { TopicSource } from '../daemon/feed.ts';
import type { NodeService } from '../daemon/service.ts';
import type { Api } from '../http/api.ts';
import { apiError } from '../http/errors.ts';
import type { SealedIdentityFile } from '../identity-store.ts';
import type { PeerNode } from '../peer-node.ts';

const Peer = Type.Object({ peerId: Type.String({ minLength: 1, maxLength: 100 }) });
const tags = ['people'];

/** What is needed of the rest of the node. */
export interface ContactServiceOptions {
  readonly node: PeerNode;
  readonly channels: ChannelService;
  readonly contacts: Contacts;
  /** A copy of the identity's file, sealed under a passphrase. */
  readonly sealedIdentity: (passphrase: string) => Promise<SealedIdentityFile>;
  readonly onChange: () => void;
}

/** The service. */
export class ContactService implements NodeService {
  readonly name = 'contacts';
  readonly #options: ContactServiceOptions;
  /** A copy is being sealed, which takes 256 MiB for a second. */
  #isSealing = false;

  constructor(options: ContactServiceOptions) {
    this.#options = options;
  }

  readonly topics: TopicSource = (name) =>
    name === 'contacts'
      ? { name, rows: () => this.#rows().map((row) => [row.peerId, row] as const) }
      : undefined;

  routes(api: Api): void {
    api.get(
      '/identity',
      {
        schema: {
          tags,
          summary: 'The identity of this node',
          querystring: Type.Object({
            name: Type.Optional(Type.String({ maxLength: 100, description: 'For the link.' })),
            address: Type.Optional(
              Type.Boolean({ description: 'Put this node’s addresses into the link.' }),
            ),
            relay: Type.Optional(
              Type.Array(Type.String({ maxLength: 100 }), {
                description: 'Contacts; for the link.',
              }),
            ),
          }),
          response: { 200: IdentityCard },
        },
      },
      ({ query }) => this.#card(query),
    );
    api.post(
      '/identity/copy',
      {
        schema: {
          tags,
          summary:
            'A sealed copy of the identity, for another machine or for the day the disk is lost',
          body: CopyIdentity,
          response: { 200: SealedIdentity },
        },
      },
      ({ body }) => this.#copy(body.passphrase),
    );
    api.get(
      '/contacts',
      {
        schema: {
          tags,
          summary: 'People this node knows',
          response: { 200: Type.Array(ContactRow) },
        },
      },
      () => this.#rows(),
    );
    api.post(
      '/contacts',
      {
        schema: { tags, summary: 'Add a contact', body: AddContact, response: { 201: ContactRow } },
      },
      async ({ body }, reply) => {
        const contact = this.#options.contacts.add(body.name, body.id);
        this.#options.onChange();
        return reply.status(201).send(this.#row(contact));
      },
    );
    this.#oneRoutes(api);
  }

  #oneRoutes(api: Api): void {
    const { contacts, onChange } = this.#options;
    api.patch(
      '/contacts/:peerId',
      {
        schema: {
          tags,
          summary: 'Change a contact',
          params: Peer,
          body: ChangeContact,
          response: { 200: ContactRow },
        },
      },
      ({ params, body }) => {
        this.#expect(params.peerId);
        const { name, isTrusted, isRelay, isServed } = body;
        if (name !== undefined) contacts.rename(params.peerId, name);
        const contact = contacts.setFlags(params.peerId, {
          ...(isTrusted === undefined ? {} : { isTrusted }),
          ...(isRelay === undefined ? {} : { isRelay }),
          ...(isServed === undefined ? {} : { mayRelay: isServed }),
        });
        if (isRelay === true) {
          this.#options.node.relays?.use({ peerId: contact.peerId, addresses: contact.addresses });
        }
        onChange();
        return this.#row(contact);
      },
    );
    api.delete(
      '/contacts/:peerId',
      { schema: { tags, summary: 'Forget a contact', params: Peer, response: { 200: Done } } },
      ({ params }) => {
        this.#expect(params.peerId);
        contacts.remove(params.peerId);
        onChange();
        return { ok: true as const };
      },
    );
  }

  async #copy(passphrase: string): Promise<SealedIdentity> {
    if (this.#isSealing) {
      throw apiError('ERR_API_TOO_MANY', { what: 'copies of the identity at a time', most: 1 });
    }
    this.#isSealing = true;
    try {
      return await this.#options.sealedIdentity(passphrase);
    } finally {
      this.#isSealing = false;
    }
  }

  #card(query: { name?: string; address?: boolean; relay?: string[] }): IdentityCard {
    const { node, channels, contacts } = this.#options;
    const { peerId } = channels;
    const link = cardLink(peerId, {
      addresses: query.address === true ? node.dialableEndpoints.map(formatEndpoint) : [],
      relays: (query.relay ?? []).map((each) => relayHintOf(contacts.find(each))),
      ...(query.name === undefined ? {} : { name: query.name }),
    });
    return { peerId, fingerprint: fingerprintOfText(peerId), link };
  }

  #expect(peerId: string): void {
    if (this.#options.contacts.byPeerId(peerId) !== undefined) return;
    const hint = 'GET /api/v1/contacts lists all';
    throw apiError('ERR_API_NOT_FOUND', { what: `contact ${peerId}`, hint });
  }

  #rows(): ContactRow[] {
    return this.#options.contacts.list().map((contact) => this.#row(contact));
  }

  #row({ name, peerId, isTrusted, isRelay, mayRelay }: Contact): ContactRow {
    const channel = this.#options.channels.channels.find((each) => each.peerId === peerId);
    return {
      name,
      peerId,
      fingerprint: fingerprintOfText(peerId),
      isTrusted,
      isRelay,
      isServed: mayRelay,
      path: channel === undefined || channel.isClosed ? null : pathText(channel.path),
    };
  }
}

/** A path for people: "LAN 192.168.1.7:6881". */
export function pathText({ kind, remote, relay }: PeerPath): string {
  const at = formatEndpoint(remote);
  if (kind === 'relay') return `relay ${relay ?? ''} ${at}`;
  return `${kind === 'lan' ? 'LAN' : 'direct'} ${at}`;
}
