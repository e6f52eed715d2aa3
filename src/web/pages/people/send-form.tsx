/**
 * Begins a send: of a file or folder, or of a message.
 * @module
 */
import { type FormEvent, useState } from 'react';
import type { BeginSend } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Field, TextField } from '../../parts/fields.tsx';
import { PathField } from '../../parts/folder-picker.tsx';
import { request } from '../../state/api.ts';
import { contacts } from '../../state/live.ts';
import { attempt } from '../../state/notice.ts';
import { useRows } from '../../state/use-collection.ts';
import { shownName } from '../../words/shown-name.ts';

export function SendForm() {
  const [kind, setKind] = useState<'path' | 'text'>('path');
  const [content, setContent] = useState('');
  const [to, setTo] = useState('');
  const people = useRows(contacts);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const body: BeginSend = { [kind]: content, ...(to === '' ? {} : { to }) };
    if (await attempt(() => request('POST', '/sends', body))) setContent('');
  };
  return (
    <form
      className="card form"
      aria-labelledby="send-head"
      onSubmit={(event) => void submit(event)}
    >
      <h2 id="send-head">Send</h2>
      <fieldset className="chips">
        <legend className="sr">What</legend>
        {(['path', 'text'] as const).map((each) => (
          <label key={each} className="chip">
            <input
              type="radio"
              name="send-kind"
              checked={kind === each}
              onChange={() => {
                setKind(each);
                setContent('');
              }}
            />
            {each === 'path' ? 'File or folder' : 'Message'}
          </label>
        ))}
      </fieldset>
      {kind === 'path' ? (
        <PathField label="File or folder" value={content} onChange={setContent} />
      ) : (
        <TextField label="Message" isLong value={content} onChange={setContent} />
      )}
      <Field label="To">
        {(ids) => (
          <select {...ids} value={to} onChange={({ target }) => setTo(target.value)}>
            <option value="">Whoever gets the three words</option>
            {people.map(({ name, peerId }) => (
              <option key={peerId} value={peerId}>
                {shownName(name)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div className="dialog-foot">
        <Button kind="primary" icon="send" isSubmit disabled={content === ''}>
          Send
        </Button>
      </div>
    </form>
  );
}
