/**
 * A dialog of the platform: it holds the focus, Escape closes it, and the focus goes back to where it came from.
 * @module
 */
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { enterDialog, leaveDialog, notices } from '../state/notice.ts';
import { useValue } from '../state/value.ts';
import { shownName } from '../words/shown-name.ts';
import { IconButton } from './button.tsx';
import { Icon } from './icon.tsx';

/** What went wrong in a dialog. */
function Problem({ of }: { readonly of: number | undefined }) {
  const found = useValue(notices).find(({ dialog }) => dialog !== undefined && dialog === of);
  if (found === undefined) return null;
  return (
    <p className="problem" role="alert">
      <Icon name="warning" /> {shownName(found.text)}
    </p>
  );
}

export function Dialog({
  title,
  onClose,
  isWide = false,
  children,
}: {
  readonly title: string;
  readonly onClose: () => void;
  readonly isWide?: boolean;
  readonly children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [number, setNumber] = useState<number>();
  useEffect(() => {
    const entered = enterDialog();
    setNumber(entered);
    return () => leaveDialog(entered);
  }, []);
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={isWide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onClose={(event) => {
        if (event.target === dialog.current) onClose();
      }}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header className="dialog-head">
        <h2 id={id}>{title}</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </header>
      <div className="dialog-body">
        {children}
        <Problem of={number} />
      </div>
    </dialog>
  );
}
