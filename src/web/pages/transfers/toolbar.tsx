/**
 * The bar above the list: add, search, and what can be done to the selected torrents.
 * @module
 */
import { useEffect, useRef } from 'react';
import { Button, IconButton } from '../../parts/button.tsx';
import { Icon } from '../../parts/icon.tsx';
import { act } from '../../state/actions.ts';
import { overlay } from '../../state/overlay.ts';
import { selectAll, selection, selectNone } from '../../state/selection.ts';
import { useValue } from '../../state/value.ts';
import { changeView, view } from '../../state/view.ts';
import { countOf } from '../../words/format.ts';
import { isTyping } from '../overlays.tsx';

function Search() {
  const { search } = useValue(view);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (isTyping(event.target) || overlay.get() !== undefined) return;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '/') {
        event.preventDefault();
        input.current?.focus();
      }
      if (event.key === 'n') {
        event.preventDefault();
        overlay.set({ kind: 'add' });
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return (
    <search className="search">
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        aria-label="Search torrents"
        placeholder="Search  /"
        value={search}
        onChange={({ target }) => changeView({ search: target.value })}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          changeView({ search: '' });
          document.getElementById('torrents')?.focus();
        }}
      />
    </search>
  );
}

export function Toolbar({ order }: { readonly order: readonly string[] }) {
  const { ids } = useValue(selection);
  const chosen = [...ids];
  if (chosen.length === 0) {
    return (
      <div className="toolbar">
        <Button kind="primary" icon="plus" onClick={() => overlay.set({ kind: 'add' })}>
          Add
        </Button>
        <Search />
        <IconButton
          icon="play"
          label="Resume all that are shown"
          onClick={() => void act('resume', order)}
        />
        <IconButton
          icon="pause"
          label="Pause all that are shown"
          onClick={() => void act('pause', order)}
        />
      </div>
    );
  }
  return (
    <div className="toolbar is-selecting" role="toolbar" aria-label="Selected torrents">
      <IconButton icon="close" label="Select nothing" onClick={selectNone} />
      <strong aria-live="polite">{countOf(chosen.length, 'selected', 'selected')}</strong>
      <Button kind="quiet" icon="play" onClick={() => void act('resume', chosen)}>
        Resume
      </Button>
      <Button kind="quiet" icon="pause" onClick={() => void act('pause', chosen)}>
        Pause
      </Button>
      <Button
        kind="quiet"
        icon="settings"
        onClick={() => overlay.set({ kind: 'change', ids: chosen })}
      >
        Change
      </Button>
      <Button kind="quiet" icon="recheck" onClick={() => void act('recheck', chosen)}>
        Check again
      </Button>
      <Button
        kind="quiet"
        icon="remove"
        onClick={() => overlay.set({ kind: 'remove', ids: chosen })}
      >
        Remove
      </Button>
      <span className="grow" />
      <Button kind="quiet" onClick={() => selectAll(order)}>
        All {order.length}
      </Button>
    </div>
  );
}
