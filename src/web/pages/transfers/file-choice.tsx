/**
 * Which files of a torrent are wanted, before it is added. Long lists are shown in part: the whole list is in the details.
 * @module
 */
import { Button } from '../../parts/button.tsx';
import { Name } from '../../parts/name.tsx';
import { bytesText } from '../../words/format.ts';

// Implementation limits
/** Files with a box of their own. */
const MAX_SHOWN_FILES = 300;

export function FileChoice({
  files,
  unwanted,
  onChange,
}: {
  readonly files: readonly { index: number; path: string; lengthBytes: number }[];
  readonly unwanted: ReadonlySet<number>;
  readonly onChange: (unwanted: ReadonlySet<number>) => void;
}) {
  if (files.length < 2) return null;
  const toggle = (index: number): void => {
    const next = new Set(unwanted);
    if (!next.delete(index)) next.add(index);
    onChange(next);
  };
  return (
    <fieldset className="file-choice">
      <legend>
        Wanted files
        <Button kind="quiet" onClick={() => onChange(new Set())}>
          All
        </Button>
        <Button kind="quiet" onClick={() => onChange(new Set(files.map(({ index }) => index)))}>
          None
        </Button>
      </legend>
      <ul>
        {files.slice(0, MAX_SHOWN_FILES).map(({ index, path, lengthBytes }) => (
          <li key={index}>
            <label>
              <input
                type="checkbox"
                checked={!unwanted.has(index)}
                onChange={() => toggle(index)}
              />
              <Name text={path} />
              <span className="num">{bytesText(lengthBytes)}</span>
            </label>
          </li>
        ))}
      </ul>
      {files.length > MAX_SHOWN_FILES ? (
        <p className="hint">
          {files.length - MAX_SHOWN_FILES} more files can be chosen after it is added.
        </p>
      ) : null}
    </fieldset>
  );
}
