/**
 * Shares files of the node's machine with anybody who has the link, or with contacts alone.
 * @module
 */
import { type FormEvent, useState } from 'react';
import type { ShareFiles, TorrentDetails } from '../../contract/index.ts';
import { Button, CopyButton } from '../parts/button.tsx';
import { Field, Switch, TextField } from '../parts/fields.tsx';
import { PathField } from '../parts/folder-picker.tsx';
import { Name } from '../parts/name.tsx';
import { QrCode } from '../parts/qr.tsx';
import { request } from '../state/api.ts';
import { contacts, useTopics } from '../state/live.ts';
import { attempt } from '../state/notice.ts';
import { href } from '../state/route.ts';
import { useRows } from '../state/use-collection.ts';
import { bytesText, countOf } from '../words/format.ts';
import { shownName } from '../words/shown-name.ts';
import { Publications } from './publications.tsx';

/** Lines of a text area, without empty ones. */
function linesOf(text: string): string[] {
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

interface Draft {
  readonly path: string;
  readonly people: readonly string[];
  readonly trackers: string;
  readonly comment: string;
  readonly isPrivate: boolean;
}

const EMPTY: Draft = { path: '', people: [], trackers: '', comment: '', isPrivate: false };

function bodyOf({ path, people, trackers, comment, isPrivate }: Draft): ShareFiles {
  return {
    path,
    ...(people.length === 0 ? {} : { contacts: [...people] }),
    ...(linesOf(trackers).length === 0 ? {} : { trackers: linesOf(trackers) }),
    ...(comment === '' ? {} : { comment }),
    ...(isPrivate ? { isPrivate } : {}),
  };
}

function People({
  chosen,
  onChange,
}: {
  readonly chosen: readonly string[];
  readonly onChange: (people: readonly string[]) => void;
}) {
  const rows = useRows(contacts);
  if (rows.length === 0) {
    return (
      <p className="hint">
        To share with some people only, add them on the page <a href={href('contacts')}>Contacts</a>{' '}
        first.
      </p>
    );
  }
  return (
    <fieldset className="people-choice">
      <legend className="field-label">With whom</legend>
      <p className="hint">
        Nobody chosen: with anybody who has the link. Otherwise only with these, over encrypted
        connections, unseen by trackers and the DHT.
      </p>
      <div className="chips">
        {rows.map(({ name, peerId }) => (
          <label key={peerId} className="chip">
            <input
              type="checkbox"
              checked={chosen.includes(peerId)}
              onChange={({ target }) =>
                onChange(
                  target.checked ? [...chosen, peerId] : chosen.filter((each) => each !== peerId),
                )
              }
            />
            <bdi>{shownName(name)}</bdi>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Shared({ details }: { readonly details: TorrentDetails }) {
  const { id, name, magnet, totalBytes, files, isSecure } = details;
  return (
    <section className="card shared" aria-label="What is shared" aria-live="polite">
      <QrCode text={magnet} label="The magnet link as a QR code" />
      <div className="stack">
        <h2>
          <Name text={name} />
        </h2>
        <p className="hint">
          {bytesText(totalBytes)}
          {files === undefined ? '' : `, ${countOf(files.length, 'file')}`}.{' '}
          {isSecure
            ? 'Only the contacts that were chosen can fetch it by this link, while this node runs.'
            : 'Whoever has this link can fetch it while this node runs.'}
        </p>
        <code className="link-box">{magnet}</code>
        <div className="row-of-buttons">
          <CopyButton text={magnet} label="Copy magnet link" />
          <a className="button plain" href={href('transfers', id)}>
            <span>See who fetches it</span>
          </a>
        </div>
      </div>
    </section>
  );
}

export function SharePage() {
  useTopics('contacts', 'publications');
  const [draft, setDraft] = useState(EMPTY);
  const [isBusy, setIsBusy] = useState(false);
  const [shared, setShared] = useState<TorrentDetails>();
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setIsBusy(true);
    await attempt(async () => {
      setShared(await request<TorrentDetails>('POST', '/shares', bodyOf(draft)));
      setDraft(EMPTY);
    });
    setIsBusy(false);
  };
  return (
    <div className="page">
      <div className="page-head">
        <h1>Share</h1>
      </div>
      <p className="hint lead">
        Give a file or folder of this machine to many: each who fetches it helps to give it on.
        Changed files have to be shared again, or published below.
      </p>
      <form className="card form" onSubmit={(event) => void submit(event)}>
        <PathField
          label="File or folder"
          value={draft.path}
          onChange={(path) => setDraft({ ...draft, path })}
        />
        <People chosen={draft.people} onChange={(people) => setDraft({ ...draft, people })} />
        <details className="more">
          <summary>More</summary>
          <div className="form">
            <Field label="Trackers, one a line" hint="Not needed: peers find each other without.">
              {(ids) => (
                <textarea
                  {...ids}
                  rows={3}
                  spellCheck={false}
                  value={draft.trackers}
                  onChange={({ target }) => setDraft({ ...draft, trackers: target.value })}
                />
              )}
            </Field>
            <TextField
              label="Comment"
              value={draft.comment}
              onChange={(comment) => setDraft({ ...draft, comment })}
            />
            <Switch
              label="Private"
              hint="Peers come from the trackers alone: no DHT, no peer exchange, no local network."
              isOn={draft.isPrivate}
              onChange={(isPrivate) => setDraft({ ...draft, isPrivate })}
            />
          </div>
        </details>
        <div className="dialog-foot">
          <Button kind="primary" icon="share" isSubmit disabled={draft.path === '' || isBusy}>
            {isBusy ? 'Hashing …' : 'Share'}
          </Button>
        </div>
      </form>
      {shared === undefined ? null : <Shared details={shared} />}
      <Publications />
    </div>
  );
}
