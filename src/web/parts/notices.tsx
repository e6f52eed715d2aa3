/**
 * What the user is told in passing, in a corner, read out by screen readers.
 * @module
 */
import { dismiss, notices } from '../state/notice.ts';
import { useValue } from '../state/value.ts';
import { shownName } from '../words/shown-name.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';

export function Notices() {
  const shown = useValue(notices).filter(({ dialog }) => dialog === undefined);
  return (
    <section className="notices" aria-live="polite" aria-label="Notices">
      {shown.map(({ id, kind, text }) => (
        <div key={id} className={`notice ${kind}`} role={kind === 'problem' ? 'alert' : 'status'}>
          <Icon name={kind === 'problem' ? 'warning' : 'check'} />
          <p>{shownName(text)}</p>
          <IconButton icon="close" label="Dismiss" onClick={() => dismiss(id)} />
        </div>
      ))}
    </section>
  );
}
