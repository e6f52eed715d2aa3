/**
 * Adds a torrent: a link or a file, a look at what is in it, and the choices that matter before it begins.
 * @module
 */
import { type FormEvent, useEffect, useState } from 'react';
import type { AddTorrent } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field, Switch, TextField } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Name } from '../../parts/name.tsx';
import { reasonOf, request } from '../../state/api.ts';
import { categories } from '../../state/live.ts';
import { tellNews } from '../../state/notice.ts';
import { useKeys } from '../../state/use-collection.ts';
import { bytesText, countOf } from '../../words/format.ts';
import { shownName } from '../../words/shown-name.ts';
import { FileChoice } from './file-choice.tsx';

// Implementation limits
/** How long typing has to rest before the node is asked what a link is, in milliseconds. */
const REST_MS = 300;

export interface Preview {
  readonly name: string;
  readonly totalBytes: number | null;
  readonly files: readonly { index: number; path: string; lengthBytes: number }[] | null;
  readonly isKnown: boolean;
}

type Source = { readonly link: string } | { readonly torrent: string; readonly fileName: string };

async function readFile(file: File): Promise<Source> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(new Error(`${file.name} cannot be read. Choose it again.`));
    reader.readAsDataURL(file);
  });
  return { torrent: url.slice(url.indexOf(',') + 1), fileName: file.name };
}

function bodyOf(source: Source): AddTorrent {
  return 'link' in source ? { link: source.link } : { torrent: source.torrent };
}

/** What the node says of a source; asked once typing rests. */
function usePreview(source: Source | undefined): {
  readonly preview: Preview | undefined;
  readonly problem: string | undefined;
} {
  const [state, setState] = useState<{ preview?: Preview; problem?: string; of?: Source }>({});
  useEffect(() => {
    if (source === undefined) return;
    let isOver = false;
    const timer = setTimeout(() => {
      request<Preview>('POST', '/torrents/preview', bodyOf(source)).then(
        (preview) => isOver || setState({ preview, of: source }),
        (error: unknown) => isOver || setState({ problem: reasonOf(error), of: source }),
      );
    }, REST_MS);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [source]);
  const isCurrent = state.of === source && source !== undefined;
  return {
    preview: isCurrent ? state.preview : undefined,
    problem: isCurrent ? state.problem : undefined,
  };
}

function SourceField({
  source,
  onChange,
}: {
  readonly source: Source | undefined;
  readonly onChange: (source: Source | undefined) => void;
}) {
  if (source !== undefined && 'torrent' in source) {
    return (
      <p className="chosen">
        <Icon name="file" /> <Name text={source.fileName} />
        <Button kind="quiet" onClick={() => onChange(undefined)}>
          Another
        </Button>
      </p>
    );
  }
  return (
    <>
      <TextField
        label="Link"
        hint="A magnet link, the address of a torrent file, or a publication’s link."
        isLong
        autoFocus
        placeholder="magnet:?xt=urn:btih:…"
        value={source?.link ?? ''}
        onChange={(link) => onChange(link.trim() === '' ? undefined : { link: link.trim() })}
      />
      <Field label="Or a torrent file">
        {(ids) => (
          <input
            {...ids}
            type="file"
            accept=".torrent,application/x-bittorrent"
            onChange={({ target }) => {
              const [file] = target.files ?? [];
              if (file !== undefined) void readFile(file).then(onChange);
            }}
          />
        )}
      </Field>
    </>
  );
}

function PreviewBox({
  preview,
  unwanted,
  onChange,
}: {
  readonly preview: Preview;
  readonly unwanted: ReadonlySet<number>;
  readonly onChange: (unwanted: ReadonlySet<number>) => void;
}) {
  const { name, totalBytes, files, isKnown } = preview;
  return (
    <section className="preview" aria-label="What it is">
      <p>
        <strong>
          <Name text={name} />
        </strong>
        {totalBytes === null ? null : ` · ${bytesText(totalBytes)}`}
        {files === null ? null : ` · ${countOf(files.length, 'file')}`}
      </p>
      {isKnown ? <p className="hint">It is in the list already.</p> : null}
      {files === null ? (
        <p className="hint">Its files are known once peers have told of them.</p>
      ) : (
        <FileChoice files={files} unwanted={unwanted} onChange={onChange} />
      )}
    </section>
  );
}

interface Choices {
  readonly dir: string;
  readonly category: string;
  readonly isPaused: boolean;
  readonly isSequential: boolean;
}

function ChoiceFields({
  value,
  onChange,
}: {
  readonly value: Choices;
  readonly onChange: (value: Choices) => void;
}) {
  const names = useKeys(categories);
  return (
    <>
      <div className="pair">
        <TextField
          label="Folder"
          placeholder="As the category or the settings say"
          value={value.dir}
          onChange={(dir) => onChange({ ...value, dir })}
        />
        <Field label="Category">
          {(ids) => (
            <select
              {...ids}
              value={value.category}
              onChange={({ target }) => onChange({ ...value, category: target.value })}
            >
              <option value="">None</option>
              {names.map((name) => (
                <option key={name} value={name}>
                  {shownName(name)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Switch
        label="In order"
        hint="Pieces from the beginning to the end, to look at a file while it comes."
        isOn={value.isSequential}
        onChange={(isSequential) => onChange({ ...value, isSequential })}
      />
      <Switch
        label="Paused"
        hint="Added, but not begun."
        isOn={value.isPaused}
        onChange={(isPaused) => onChange({ ...value, isPaused })}
      />
    </>
  );
}

/** Adds it; what cannot be said when adding, the priorities of files, is said right after. */
async function add(
  source: Source,
  choices: Choices,
  unwanted: ReadonlySet<number>,
): Promise<{ readonly name: string }> {
  const { dir, category, isPaused, isSequential } = choices;
  const added = await request<{ id: string; name: string }>('POST', '/torrents', {
    ...bodyOf(source),
    ...(dir === '' ? {} : { dir }),
    ...(category === '' ? {} : { category }),
    ...(isSequential ? { isSequential } : {}),
    ...(isPaused || unwanted.size > 0 ? { isPaused: true } : {}),
  });
  if (unwanted.size > 0) {
    const files = [...unwanted].map((index) => ({ index, priority: 0 }));
    await request('PATCH', `/torrents/${added.id}`, { files, ...(isPaused ? {} : { isPaused }) });
  }
  return added;
}

export function AddDialog({
  link,
  file,
  onClose,
}: {
  readonly link?: string;
  readonly file?: File;
  readonly onClose: () => void;
}) {
  const [source, setSource] = useState<Source | undefined>(
    link === undefined ? undefined : { link },
  );
  const [unwanted, setUnwanted] = useState<ReadonlySet<number>>(new Set());
  const [choices, setChoices] = useState<Choices>({
    dir: '',
    category: '',
    isPaused: false,
    isSequential: false,
  });
  const [problem, setProblem] = useState<string>();
  const [isBusy, setIsBusy] = useState(false);
  const looked = usePreview(source);
  useEffect(() => {
    if (file !== undefined)
      readFile(file).then(setSource, (error: unknown) => setProblem(reasonOf(error)));
  }, [file]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (source === undefined) return;
    setIsBusy(true);
    try {
      const { name } = await add(source, choices, unwanted);
      tellNews(`Added: ${name}`);
      onClose();
    } catch (error) {
      setProblem(reasonOf(error));
      setIsBusy(false);
    }
  };
  const shownProblem = problem ?? looked.problem;
  return (
    <Dialog title="Add a torrent" onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <SourceField
          source={source}
          onChange={(next) => {
            setSource(next);
            setUnwanted(new Set());
            setProblem(undefined);
          }}
        />
        {looked.preview === undefined ? null : (
          <PreviewBox preview={looked.preview} unwanted={unwanted} onChange={setUnwanted} />
        )}
        <ChoiceFields value={choices} onChange={setChoices} />
        {shownProblem === undefined ? null : (
          <p className="problem" role="alert">
            <Icon name="warning" /> {shownName(shownProblem)}
          </p>
        )}
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" isSubmit disabled={source === undefined || isBusy}>
            Add
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
