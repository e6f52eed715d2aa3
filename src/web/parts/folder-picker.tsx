/**
 * Chooses a file or a folder of the node's machine, which need not be the one this browser runs on.
 * @module
 */
import { useEffect, useRef, useState } from 'react';
import { reasonOf, request } from '../state/api.ts';
import { bytesText } from '../words/format.ts';
import { Button, IconButton } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { TextField } from './fields.tsx';
import { Icon } from './icon.tsx';
import { Name } from './name.tsx';

interface Folder {
  readonly path: string;
  readonly parent: string | null;
  readonly entries: readonly {
    readonly name: string;
    readonly isFolder: boolean;
    readonly bytes: number | null;
  }[];
}

/** A path below a folder, with the separator that the folder uses. */
function below(folder: string, name: string): string {
  const separator = folder.includes('\\') && !folder.includes('/') ? '\\' : '/';
  return folder.endsWith(separator) ? `${folder}${name}` : `${folder}${separator}${name}`;
}

/** The folder above a path; '' for none. */
function above(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'), path.lastIndexOf('\\')));
}

/** Hidden ones last: they are seldom what is looked for. */
function byHiding(a: { readonly name: string }, b: { readonly name: string }): number {
  return Number(a.name.startsWith('.')) - Number(b.name.startsWith('.'));
}

function Entries({
  folder,
  onOpen,
  onChoose,
}: {
  readonly folder: Folder;
  readonly onOpen: (path: string) => void;
  readonly onChoose: (path: string) => void;
}) {
  if (folder.entries.length === 0) return <p className="hint">This folder is empty.</p>;
  return (
    <ul className="entries">
      {[...folder.entries].sort(byHiding).map(({ name, isFolder, bytes }) => {
        const path = below(folder.path, name);
        return (
          <li key={name}>
            <button
              type="button"
              className="entry"
              onClick={() => (isFolder ? onOpen(path) : onChoose(path))}
            >
              <Icon name={isFolder ? 'folder' : 'file'} />
              <Name text={name} />
              <span className="num">{isFolder || bytes === null ? '' : bytesText(bytes)}</span>
            </button>
            {isFolder ? (
              <Button
                kind="quiet"
                aria-label={`Choose the folder ${name}`}
                onClick={() => onChoose(path)}
              >
                Choose
              </Button>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}

function PickerDialog({
  start,
  onChoose,
  onClose,
}: {
  readonly start: string;
  readonly onChoose: (path: string) => void;
  readonly onClose: () => void;
}) {
  const [path, setPath] = useState(start);
  const [folder, setFolder] = useState<Folder>();
  const [problem, setProblem] = useState<string>();
  const isFirst = useRef(true);
  useEffect(() => {
    let isOver = false;
    const query = path === '' ? '' : `?path=${encodeURIComponent(path)}`;
    request<Folder>('GET', `/folders${query}`).then(
      (found) => {
        if (isOver) return;
        isFirst.current = false;
        setFolder(found);
        setProblem(undefined);
      },
      (error: unknown) => {
        if (isOver) return;
        // What was typed may be a file, or not there: it begins at the nearest folder above.
        if (isFirst.current && path !== '') setPath(above(path));
        else setProblem(reasonOf(error));
      },
    );
    return () => {
      isOver = true;
    };
  }, [path]);
  const parent = folder?.parent ?? null;
  return (
    <Dialog title="Files of the node’s machine" onClose={onClose}>
      <p className="chosen">
        <IconButton
          icon="up"
          label="The folder above"
          disabled={parent === null}
          onClick={() => parent !== null && setPath(parent)}
        />
        <Name className="mono grow" text={folder?.path ?? path} />
        {folder === undefined ? null : (
          <Button onClick={() => onChoose(folder.path)}>Choose this folder</Button>
        )}
      </p>
      {problem === undefined ? null : (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {folder === undefined ? null : (
        <Entries folder={folder} onOpen={setPath} onChoose={onChoose} />
      )}
    </Dialog>
  );
}

/** A field for a path, with a button that looks around. */
export function PathField({
  label,
  hint,
  value,
  onChange,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onChange: (path: string) => void;
}) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <div className="with-button">
      <TextField label={label} hint={hint} value={value} onChange={onChange} />
      <Button icon="folder" onClick={() => setIsOpen(true)}>
        Browse
      </Button>
      {isOpen ? (
        <PickerDialog
          start={value.trim()}
          onClose={() => setIsOpen(false)}
          onChoose={(path) => {
            onChange(path);
            setIsOpen(false);
          }}
        />
      ) : null}
    </div>
  );
}
