/**
 * Adds a torrent, or several alike: links or files, a look at what is in one, and the choices that matter before it begins.
 * @module
 */
import { type FormEvent, useEffect, useMemo, useState } from 'react';
import type { AddTorrent } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Field, Switch, TextField } from '../../parts/fields.tsx';
import { PathField } from '../../parts/folder-picker.tsx';
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

function nameOf(source: Source): string {
  return 'link' in source ? source.link : source.fileName;
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

interface Given {
  /** Links, one a line. */
  readonly text: string;
  readonly files: readonly Source[];
}

const NOTHING: Given = { text: '', files: [] };

function sourcesOf({ text, files }: Given): readonly Source[] {
  if (files.length > 0) return files;
  return text.split(/\s+/).flatMap((link) => (link === '' ? [] : [{ link }]));
}

function SourceField({
  given,
  onChange,
  onFiles,
}: {
  readonly given: Given;
  readonly onChange: (given: Given) => void;
  readonly onFiles: (files: readonly File[]) => void;
}) {
  const { files, text } = given;
  if (files.length > 0) {
    return (
      <p className="chosen">
        <Icon name="file" />{' '}
        {files.length === 1 ? (
          <Name text={nameOf(files[0]!)} />
        ) : (
          countOf(files.length, 'torrent file')
        )}
        <Button kind="quiet" onClick={() => onChange(NOTHING)}>
          {files.length === 1 ? 'Another' : 'Others'}
        </Button>
      </p>
    );
  }
  return (
    <>
      <TextField
        label="Link"
        hint="A magnet link, the address of a torrent file, or a publication’s link; several, one a line."
        isLong
        autoFocus
        placeholder="magnet:?xt=urn:btih:…"
        value={text}
        onChange={(next) => onChange({ text: next, files: [] })}
      />
      <Field label="Or torrent files">
        {(ids) => (
          <input
            {...ids}
            type="file"
            multiple
            accept=".torrent,application/x-bittorrent"
            onChange={({ target }) => onFiles([...(target.files ?? [])])}
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
        <PathField
          label="Folder"
          hint="Empty: as the category or the settings say."
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

/** Adds all, and gives back those that the node refused, with why. */
async function addAll(
  sources: readonly Source[],
  choices: Choices,
  unwanted: ReadonlySet<number>,
): Promise<{ readonly refused: readonly Source[]; readonly problems: readonly string[] }> {
  const refused: Source[] = [];
  const problems: string[] = [];
  const names: string[] = [];
  // One after the other, so that they stand in the queue as they were given.
  for (const source of sources) {
    try {
      names.push((await add(source, choices, unwanted)).name);
    } catch (error) {
      refused.push(source);
      problems.push(
        sources.length === 1 ? reasonOf(error) : `${nameOf(source)}: ${reasonOf(error)}`,
      );
    }
  }
  if (names.length > 0) {
    tellNews(`Added: ${names.length === 1 ? names[0] : countOf(names.length, 'torrent')}`);
  }
  return { refused, problems };
}

export function AddDialog({
  links,
  files,
  onClose,
}: {
  readonly links?: string;
  readonly files?: readonly File[];
  readonly onClose: () => void;
}) {
  const [given, setGiven] = useState<Given>({ ...NOTHING, text: links ?? '' });
  const sources = useMemo(() => sourcesOf(given), [given]);
  const [unwanted, setUnwanted] = useState<ReadonlySet<number>>(new Set());
  const [choices, setChoices] = useState<Choices>({
    dir: '',
    category: '',
    isPaused: false,
    isSequential: false,
  });
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [isBusy, setIsBusy] = useState(false);
  const looked = usePreview(sources.length === 1 ? sources[0] : undefined);
  const take = (next: Given): void => {
    setGiven(next);
    setUnwanted(new Set());
    setProblems([]);
  };
  const takeFiles = (chosen: readonly File[]): void => {
    Promise.all(chosen.map(readFile)).then(
      (read) => take({ text: '', files: read }),
      (error: unknown) => setProblems([reasonOf(error)]),
    );
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the files that are taken, once.
  useEffect(() => {
    if (files !== undefined) takeFiles(files);
  }, [files]);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (sources.length === 0) return;
    setIsBusy(true);
    const { refused, problems: found } = await addAll(sources, choices, unwanted);
    setIsBusy(false);
    if (refused.length === 0) return onClose();
    // What is in the list is not added again; the rest can be mended here.
    const isOfFiles = given.files.length > 0;
    setGiven(
      isOfFiles
        ? { text: '', files: refused }
        : { text: refused.map(nameOf).join('\n'), files: [] },
    );
    setProblems(found);
  };
  const shownProblems =
    problems.length > 0 || looked.problem === undefined ? problems : [looked.problem];
  return (
    <Dialog title={sources.length > 1 ? 'Add torrents' : 'Add a torrent'} onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <SourceField given={given} onChange={take} onFiles={takeFiles} />
        {looked.preview === undefined ? null : (
          <PreviewBox preview={looked.preview} unwanted={unwanted} onChange={setUnwanted} />
        )}
        {sources.length > 1 ? (
          <p className="hint">
            {countOf(sources.length, 'torrent')}, all in the same way; files can be chosen in the
            details of each.
          </p>
        ) : null}
        <ChoiceFields value={choices} onChange={setChoices} />
        {shownProblems.length === 0 ? null : (
          <div className="problem" role="alert">
            {shownProblems.map((problem) => (
              <p key={problem}>
                <Icon name="warning" /> {shownName(problem)}
              </p>
            ))}
          </div>
        )}
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" isSubmit disabled={sources.length === 0 || isBusy}>
            {sources.length > 1 ? `Add ${sources.length}` : 'Add'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
