/**
 * Links that stay: what this node publishes, and what it follows of others (BEP 46).
 * @module
 */
import { type FormEvent, useState } from 'react';
import type { Publication } from '../../contract/index.ts';
import { Button, CopyButton, IconButton } from '../parts/button.tsx';
import { TextField } from '../parts/fields.tsx';
import { PathField } from '../parts/folder-picker.tsx';
import { Name } from '../parts/name.tsx';
import { request } from '../state/api.ts';
import { publications } from '../state/live.ts';
import { attempt } from '../state/notice.ts';
import { href } from '../state/route.ts';
import { useRows } from '../state/use-collection.ts';
import { shownName } from '../words/shown-name.ts';

function PublishForm() {
  const [path, setPath] = useState('');
  const [salt, setSalt] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setIsBusy(true);
    const body = { path, ...(salt === '' ? {} : { salt }) };
    if (await attempt(() => request('POST', '/publications', body), 'Published')) setPath('');
    setIsBusy(false);
  };
  return (
    <form
      className="card form"
      aria-labelledby="publish-title"
      onSubmit={(event) => void submit(event)}
    >
      <h2 id="publish-title">Publish under a link that stays</h2>
      <p className="hint">
        Whoever follows the link gets what you publish now, and each version that comes after it:
        publish again under the same name for the next one.
      </p>
      <PathField label="File or folder to publish" value={path} onChange={setPath} />
      <TextField
        label="Name of the publication"
        hint="Tells several of yours apart. Empty for the only one."
        value={salt}
        onChange={setSalt}
      />
      <div className="dialog-foot">
        <Button kind="primary" isSubmit disabled={path === '' || isBusy}>
          {isBusy ? 'Publishing …' : 'Publish'}
        </Button>
      </div>
    </form>
  );
}

function FollowForm() {
  const [link, setLink] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const body = { link: link.trim() };
    if (await attempt(() => request('POST', '/publications/follow', body), 'Followed')) {
      setLink('');
    }
  };
  return (
    <form
      className="card form"
      aria-labelledby="follow-title"
      onSubmit={(event) => void submit(event)}
    >
      <h2 id="follow-title">Follow what somebody publishes</h2>
      <TextField
        label="Published link"
        placeholder="magnet:?xs=urn:btpk:…"
        hint="The newest version is fetched, and each that comes after, into a folder of its own."
        value={link}
        onChange={setLink}
      />
      <div className="dialog-foot">
        <Button kind="primary" icon="plus" isSubmit disabled={link.trim() === ''}>
          Follow
        </Button>
      </div>
    </form>
  );
}

function stateOf({ kind, version, isComplete, stored }: Publication): string {
  if (version === null) return 'No version yet';
  if (kind === 'own') return `Version ${version}${stored === 0 ? ', not in the DHT yet' : ''}`;
  return `Version ${version}${isComplete ? '' : ', on its way'}`;
}

function PublicationCard({ row }: { readonly row: Publication }) {
  const { id, kind, name, link, torrent, dir, path, error } = row;
  const end = kind === 'own' ? 'Publish no longer' : 'Follow no longer';
  return (
    <li className="card transfer">
      <header>
        <h3>
          <Name text={name} />
        </h3>
        <span className={row.isComplete ? 'label good' : 'label'}>
          {kind === 'own' ? 'published' : 'followed'}
        </span>
        <IconButton
          icon="remove"
          label={`${end}: ${shownName(name)}`}
          onClick={() => void attempt(() => request('DELETE', `/publications/${id}`))}
        />
      </header>
      {error === null ? null : <p className="hint">{shownName(error)}</p>}
      <p className="hint">
        {stateOf(row)}: <bdi>{shownName(dir ?? path ?? link)}</bdi>
      </p>
      <div className="row-of-buttons">
        <CopyButton text={link} label="Copy link" />
        {torrent === null ? null : (
          <a className="button plain" href={href('transfers', torrent)}>
            <span>See its torrent</span>
          </a>
        )}
        {kind === 'own' ? null : (
          <Button onClick={() => void attempt(() => request('POST', `/publications/${id}/look`))}>
            Look for a newer one
          </Button>
        )}
      </div>
    </li>
  );
}

export function Publications() {
  const rows = useRows(publications);
  return (
    <>
      <PublishForm />
      <FollowForm />
      {rows.length === 0 ? null : (
        <ul className="cards" aria-label="Published and followed">
          {rows.map((row) => (
            <PublicationCard key={row.id} row={row} />
          ))}
        </ul>
      )}
    </>
  );
}
