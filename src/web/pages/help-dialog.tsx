/**
 * The keys of the dashboard.
 * @module
 */
import { Dialog } from '../parts/dialog.tsx';

const KEYS: readonly (readonly [string, string])[] = [
  ['↑ ↓ Home End', 'Move in the list'],
  ['Shift + ↑ ↓', 'Select a range'],
  ['Space', 'Select or unselect'],
  ['Ctrl + A', 'Select all'],
  ['Enter', 'Open the details'],
  ['Esc', 'Close the details, or select nothing'],
  ['P', 'Pause or resume what is selected'],
  ['Menu key, Shift + F10', 'Everything that can be done to it, as with the right button'],
  ['Delete', 'Remove what is selected (asks first)'],
  ['/', 'Search'],
  ['N', 'Add a torrent'],
  ['Ctrl + V', 'Add the link that was copied'],
  ['?', 'This page'],
];

export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p className="hint">A torrent file can be dropped, and a link pasted, on any page.</p>
    </Dialog>
  );
}
