/**
 * What lies over every page: dialogs, and the catching of files that are dropped and links that are pasted anywhere.
 * @module
 */
import { useEffect, useState } from 'react';
import { tellProblem } from '../state/notice.ts';
import { closeOverlay, overlay } from '../state/overlay.ts';
import { useValue } from '../state/value.ts';
import { HelpDialog } from './help-dialog.tsx';
import { AddDialog } from './transfers/add-dialog.tsx';
import { CategoriesDialog } from './transfers/categories-dialog.tsx';
import { ChangeDialog } from './transfers/change-dialog.tsx';
import { ColumnsDialog } from './transfers/columns.tsx';
import { RemoveDialog } from './transfers/remove-dialog.tsx';
import { RenameDialog } from './transfers/rename-dialog.tsx';
import { TrackersDialog } from './transfers/trackers-dialog.tsx';

const LINK = /^(magnet:\?|https?:\/\/|starling:)/i;

/** Is somebody typing there? Then keys and pastes are theirs. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input:not([type=checkbox]), textarea, select'))
  );
}

function useCatching(setIsOver: (isOver: boolean) => void): void {
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    document.addEventListener(
      'paste',
      (event) => {
        if (isTyping(event.target) || overlay.get() !== undefined) return;
        const text = event.clipboardData?.getData('text/plain').trim() ?? '';
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length > 0) overlay.set({ kind: 'add', files });
        else if (LINK.test(text)) overlay.set({ kind: 'add', links: text });
      },
      { signal },
    );
    document.addEventListener(
      'dragover',
      (event) => {
        event.preventDefault();
        setIsOver(true);
      },
      { signal },
    );
    document.addEventListener(
      'dragleave',
      (event) => {
        if (event.relatedTarget === null) setIsOver(false);
      },
      { signal },
    );
    document.addEventListener(
      'drop',
      (event) => {
        event.preventDefault();
        setIsOver(false);
        const files = [...(event.dataTransfer?.files ?? [])];
        const text = event.dataTransfer?.getData('text/plain').trim() ?? '';
        if (files.length > 0) overlay.set({ kind: 'add', files });
        else if (LINK.test(text)) overlay.set({ kind: 'add', links: text });
        else
          tellProblem(
            new Error(
              'Expected a torrent file or a link. To share a file of this machine, open the page Share.',
            ),
          );
      },
      { signal },
    );
    return () => stop.abort();
  }, [setIsOver]);
}

export function Overlays() {
  const [isOver, setIsOver] = useState(false);
  useCatching(setIsOver);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== '?' || isTyping(event.target) || overlay.get() !== undefined) return;
      overlay.set({ kind: 'help' });
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  const shown = useValue(overlay);
  return (
    <>
      {isOver ? <div className="drop-zone">Drop torrent files or a link to add them</div> : null}
      {shown?.kind === 'add' ? (
        <AddDialog key={shown.links ?? shown.files?.[0]?.name} {...shown} onClose={closeOverlay} />
      ) : null}
      {shown?.kind === 'help' ? <HelpDialog onClose={closeOverlay} /> : null}
      {shown?.kind === 'change' ? <ChangeDialog ids={shown.ids} onClose={closeOverlay} /> : null}
      {shown?.kind === 'rename' ? (
        <RenameDialog id={shown.id} path={shown.path} onClose={closeOverlay} />
      ) : null}
      {shown?.kind === 'columns' ? <ColumnsDialog onClose={closeOverlay} /> : null}
      {shown?.kind === 'trackers' ? <TrackersDialog {...shown} onClose={closeOverlay} /> : null}
      {shown?.kind === 'categories' ? <CategoriesDialog onClose={closeOverlay} /> : null}
      {shown?.kind === 'remove' ? <RemoveDialog ids={shown.ids} onClose={closeOverlay} /> : null}
    </>
  );
}
