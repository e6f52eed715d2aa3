/**
 * Receives with the three words that the sender told.
 * @module
 */
import { type FormEvent, useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { TextField } from '../../parts/fields.tsx';
import { PathField } from '../../parts/folder-picker.tsx';
import { request } from '../../state/api.ts';
import { attempt } from '../../state/notice.ts';

export function ReceiveForm() {
  const [words, setWords] = useState('');
  const [dir, setDir] = useState('');
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const body = { words: words.trim(), ...(dir === '' ? {} : { dir }) };
    if (await attempt(() => request('POST', '/receives', body))) setWords('');
  };
  return (
    <form
      className="card form"
      aria-labelledby="receive-head"
      onSubmit={(event) => void submit(event)}
    >
      <h2 id="receive-head">Receive</h2>
      <TextField
        label="The three words"
        hint="As the sender told them, with blanks or hyphens. You see what it is before anything is fetched."
        placeholder="amber otter lantern"
        autoComplete="off"
        value={words}
        onChange={setWords}
      />
      <PathField
        label="Into the folder"
        hint="Empty: the folder of downloads."
        value={dir}
        onChange={setDir}
      />
      <div className="dialog-foot">
        <Button kind="primary" icon="download" isSubmit disabled={words.trim() === ''}>
          Receive
        </Button>
      </div>
    </form>
  );
}
