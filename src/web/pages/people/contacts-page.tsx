/**
 * The people this node knows, and its own card to hand to others.
 * @module
 */
import { type FormEvent, useEffect, useState } from 'react';
import type { Contact, IdentityCard } from '../../../contract/index.ts';
import { Button, CopyButton, IconButton } from '../../parts/button.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Switch, TextField } from '../../parts/fields.tsx';
import { Name } from '../../parts/name.tsx';
import { QrCode } from '../../parts/qr.tsx';
import { request } from '../../state/api.ts';
import { contacts, useTopics } from '../../state/live.ts';
import { attempt, tellProblem } from '../../state/notice.ts';
import { useIsLoaded, useRows } from '../../state/use-collection.ts';
import { shownName } from '../../words/shown-name.ts';
import { CopyDialog } from './copy-dialog.tsx';

function OwnCard() {
  const [card, setCard] = useState<IdentityCard>();
  const [isCopying, setIsCopying] = useState(false);
  useEffect(() => {
    request<IdentityCard>('GET', '/identity').then(setCard, tellProblem);
  }, []);
  if (card === undefined) return null;
  return (
    <section className="card shared" aria-label="Your card">
      <QrCode text={card.link} label="Your card as a QR code" />
      <div className="stack">
        <h2>Your card</h2>
        <p className="hint">
          Hand this link to people you know, and add theirs. Then read the fingerprint to each
          other, by telephone or face to face: when it is the same at both ends, nobody stands
          between you.
        </p>
        <p className="fingerprint mono">{card.fingerprint}</p>
        <code className="link-box">{card.link}</code>
        <div className="row-of-buttons">
          <CopyButton text={card.link} label="Copy link" />
          <Button icon="download" onClick={() => setIsCopying(true)}>
            Save your identity
          </Button>
        </div>
      </div>
      {isCopying ? <CopyDialog onClose={() => setIsCopying(false)} /> : null}
    </section>
  );
}

function AddForm() {
  const [name, setName] = useState('');
  const [id, setId] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const body = { name: name.trim(), id: id.trim() };
    if (!(await attempt(() => request('POST', '/contacts', body), `Added: ${body.name}`))) return;
    setName('');
    setId('');
  };
  return (
    <form
      className="card form"
      aria-labelledby="add-contact"
      onSubmit={(event) => void submit(event)}
    >
      <h2 id="add-contact">Add somebody</h2>
      <div className="pair">
        <TextField
          label="Name"
          hint="As you call them; they do not see it."
          value={name}
          onChange={setName}
        />
        <TextField
          label="Their card"
          placeholder="starling://peer/… or a peer id"
          value={id}
          onChange={setId}
        />
      </div>
      <div className="dialog-foot">
        <Button
          kind="primary"
          icon="plus"
          isSubmit
          disabled={name.trim() === '' || id.trim() === ''}
        >
          Add
        </Button>
      </div>
    </form>
  );
}

function ContactCard({ contact }: { readonly contact: Contact }) {
  const { name, peerId, fingerprint, isTrusted, isRelay, isServed, path } = contact;
  const where = `/contacts/${encodeURIComponent(peerId)}`;
  const change = (changes: Partial<Contact>): void => {
    void attempt(() => request('PATCH', where, changes));
  };
  return (
    <li className="card transfer">
      <header>
        <h2>
          <Name text={name} />
        </h2>
        <span className={path === null ? 'label' : 'label good'}>
          <bdi>{path === null ? 'not connected' : `connected: ${shownName(path)}`}</bdi>
        </span>
        <IconButton
          icon="remove"
          label={`Remove ${shownName(name)}`}
          onClick={() =>
            void attempt(() => request('DELETE', where), `Removed: ${shownName(name)}`)
          }
        />
      </header>
      <p className="fingerprint mono">{fingerprint}</p>
      <div className="switches">
        <Switch
          label="Trusted"
          hint="What they send is accepted without asking."
          isOn={isTrusted}
          onChange={(isOn) => change({ isTrusted: isOn })}
        />
        <Switch
          label="May relay for me"
          hint="Carries connections when others cannot reach this node. It sees who, not what."
          isOn={isRelay}
          onChange={(isOn) => change({ isRelay: isOn })}
        />
        <Switch
          label="I may relay for them"
          hint="Costs bandwidth of this node."
          isOn={isServed}
          onChange={(isOn) => change({ isServed: isOn })}
        />
      </div>
      <p className="hint">
        <code>{peerId}</code>
      </p>
    </li>
  );
}

export function ContactsPage() {
  useTopics('contacts');
  const rows = useRows(contacts);
  const isLoaded = useIsLoaded(contacts);
  return (
    <div className="page">
      <div className="page-head">
        <h1>Contacts</h1>
      </div>
      <OwnCard />
      <AddForm />
      {isLoaded && rows.length === 0 ? (
        <Empty icon="contacts" title="Nobody yet">
          <p>
            With contacts, files can be sent without words, shared with some people only, and
            relayed when a network lets nothing in.
          </p>
        </Empty>
      ) : null}
      <ul className="cards" aria-label="Contacts">
        {rows.map((contact) => (
          <ContactCard key={contact.peerId} contact={contact} />
        ))}
      </ul>
    </div>
  );
}
