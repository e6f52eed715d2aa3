/**
 * One transfer between people: the words while it waits, the question when it is offered, progress, and the outcome.
 * @module
 */
import type { Transfer } from '../../../contract/index.ts';
import { Bar } from '../../parts/bar.tsx';
import { Button, CopyButton } from '../../parts/button.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Name } from '../../parts/name.tsx';
import { QrCode } from '../../parts/qr.tsx';
import { request } from '../../state/api.ts';
import { attempt } from '../../state/notice.ts';
import { bytesText, countOf, durationText, percentText, rateText } from '../../words/format.ts';
import { personName, shownName, shownText } from '../../words/shown-name.ts';

const STATE_WORDS: Readonly<Record<Transfer['state'], string>> = {
  preparing: 'Getting ready',
  waiting: 'Waiting for the other side',
  searching: 'Looking for the sender',
  offered: 'Waits for your answer',
  transferring: 'Under way',
  verifying: 'Checking',
  complete: 'Complete',
  declined: 'Declined',
  failed: 'Failed',
  cancelled: 'Cancelled',
};
const OVER: ReadonlySet<Transfer['state']> = new Set([
  'complete',
  'declined',
  'failed',
  'cancelled',
]);

function Words({ words }: { readonly words: string }) {
  return (
    <div className="words">
      <QrCode text={words} label="The three words as a QR code" />
      <div className="stack">
        <p className="huge" lang="en">
          {words.split(/[\s-]+/).map((word) => (
            <span key={word}>{word} </span>
          ))}
        </p>
        <p className="hint">Tell these words to the receiver by a way you trust. They work once.</p>
        <div>
          <CopyButton text={words} label="Copy the words" />
        </div>
      </div>
    </div>
  );
}

function Question({ transfer }: { readonly transfer: Transfer }) {
  const { id, contact, name, totalBytes, files, text } = transfer;
  const answer = (accept: boolean): void => {
    void attempt(() => request('POST', `/receives/${encodeURIComponent(id)}/answer`, { accept }));
  };
  return (
    <section className="question" aria-label="Offer">
      <p>
        <strong>{contact === null ? 'The sender' : <Name text={personName(contact)} />}</strong>{' '}
        offers{' '}
        {text === null ? (
          <>
            <strong>
              <Name text={name} />
            </strong>
            : {bytesText(totalBytes)}
            {files === null ? '' : `, ${countOf(files, 'file')}`}.
          </>
        ) : (
          'a message.'
        )}
      </p>
      <div className="row-of-buttons">
        <Button kind="primary" icon="check" onClick={() => answer(true)}>
          Accept
        </Button>
        <Button onClick={() => answer(false)}>Decline</Button>
      </div>
    </section>
  );
}

function Progress({ transfer }: { readonly transfer: Transfer }) {
  const { doneBytes, totalBytes, bytesPerSec, path } = transfer;
  const left =
    bytesPerSec === 0 ? '' : ` · ${durationText((totalBytes - doneBytes) / bytesPerSec)} left`;
  const share = totalBytes === 0 ? 0 : doneBytes / totalBytes;
  return (
    <>
      <Bar share={share} />
      <p className="hint num">
        {percentText(share)} · {bytesText(doneBytes)} of {bytesText(totalBytes)} ·{' '}
        {rateText(bytesPerSec, '0 B/s')}
        {left}
        {path === null ? '' : ` · ${shownName(path)}`}
      </p>
    </>
  );
}

function Outcome({ transfer }: { readonly transfer: Transfer }) {
  const { text, error, dir, sha256, direction, guesses } = transfer;
  return (
    <>
      {text === null || direction === 'send' ? null : (
        <blockquote className="message">{shownText(text)}</blockquote>
      )}
      {error === null ? null : (
        <p className="problem">
          <Icon name="warning" /> {shownName(error)}
        </p>
      )}
      {dir === null || text !== null ? null : (
        <p className="hint">
          In <Name className="mono" text={dir} />
        </p>
      )}
      {sha256 === null ? null : (
        <p className="hint">
          SHA-256 <code>{sha256}</code>
        </p>
      )}
      {guesses === 0 ? null : (
        <p className="problem">
          {countOf(guesses, 'wrong guess', 'wrong guesses')} of the words: somebody else tried.
        </p>
      )}
    </>
  );
}

export function TransferCard({ transfer }: { readonly transfer: Transfer }) {
  const { id, direction, state, name, contact, words } = transfer;
  const isOver = OVER.has(state);
  const end = (): void => {
    const where = direction === 'send' ? 'sends' : 'receives';
    void attempt(() => request('DELETE', `/${where}/${encodeURIComponent(id)}`));
  };
  return (
    <li className={state === 'offered' ? 'card transfer asks' : 'card transfer'}>
      <header>
        <Icon name={direction === 'send' ? 'up' : 'down'} />
        <h2>
          <Name text={name} />
        </h2>
        <span className="hint" aria-live="polite">
          {STATE_WORDS[state]}
          {contact === null ? null : (
            <>
              {' · '}
              <Name text={personName(contact)} />
            </>
          )}
        </span>
        {state === 'offered' ? null : (
          <Button
            kind="quiet"
            aria-label={`${isOver ? 'Clear' : 'Cancel'} ${shownName(name)}`}
            onClick={end}
          >
            {isOver ? 'Clear' : 'Cancel'}
          </Button>
        )}
      </header>
      {words !== null && (state === 'waiting' || state === 'preparing') ? (
        <Words words={words} />
      ) : null}
      {state === 'offered' ? <Question transfer={transfer} /> : null}
      {state === 'transferring' || state === 'verifying' ? <Progress transfer={transfer} /> : null}
      <Outcome transfer={transfer} />
    </li>
  );
}
