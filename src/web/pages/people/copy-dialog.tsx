/**
 * Saves a sealed copy of this node's identity as a file.
 * @module
 */
import { useState } from 'react';
import type { SealedIdentity } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { request } from '../../state/api.ts';
import { attempt, tellNews } from '../../state/notice.ts';

const FILE_NAME = 'starling-identity.json';

function save(copy: SealedIdentity): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([`${JSON.stringify(copy)}\n`]));
  link.download = FILE_NAME;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function CopyDialog({ onClose }: { readonly onClose: () => void }) {
  const [passphrase, setPassphrase] = useState('');
  const [again, setAgain] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const make = async (): Promise<void> => {
    setIsBusy(true);
    const isMade = await attempt(async () =>
      save(await request<SealedIdentity>('POST', '/identity/copy', { passphrase })),
    );
    setIsBusy(false);
    if (!isMade) return;
    tellNews(`Saved: ${FILE_NAME}. Keep it and the passphrase in two places.`);
    onClose();
  };
  return (
    <Dialog title="Save a copy of your identity" onClose={onClose}>
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <p className="hint">
          Should this disk be lost, your contacts know you again by it. Another installation that
          has no identity yet takes it by <code>starling id import {FILE_NAME}</code>, with the
          passphrase in <code>STARLING_PASSPHRASE</code>. Whoever has both can pass for you.
        </p>
        <TextField
          label="Passphrase"
          hint="At least 8 characters; several words are best. Nobody can recover it."
          type="password"
          autoComplete="new-password"
          value={passphrase}
          onChange={setPassphrase}
          autoFocus
        />
        <TextField
          label="Passphrase again"
          {...(again !== '' && again !== passphrase ? { hint: 'Not the same yet.' } : {})}
          type="password"
          autoComplete="new-password"
          value={again}
          onChange={setAgain}
        />
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            isSubmit
            disabled={isBusy || passphrase.length < 8 || passphrase !== again}
          >
            {isBusy ? 'Sealing …' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
