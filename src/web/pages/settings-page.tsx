/**
 * All settings, by area, as the node describes them: where each value is from, which are held elsewhere, which need a restart.
 * @module
 */
import { type FormEvent, useId, useState } from 'react';
import type { Setting } from '../../contract/index.ts';
import { Button } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';
import { request } from '../state/api.ts';
import { settings, useTopics } from '../state/live.ts';
import { attempt } from '../state/notice.ts';
import { signOut } from '../state/session.ts';
import { useIsLoaded, useRows } from '../state/use-collection.ts';
import { bytesText, parseBytes } from '../words/format.ts';
import { shownName } from '../words/shown-name.ts';

/** Where a value has to be changed that is held above what is saved here. */
const HELD: Readonly<Partial<Record<Setting['source'], string>>> = {
  'command line': 'Given on the command line that started the node; change it there.',
  environment: 'Given by an environment variable of the node; change it there.',
  file: 'Given by config.json in the node’s home; change it there.',
};

/** Areas in the order in which people look for them, with their headings; one that is not here stands at the end under its own name. */
const AREAS: ReadonlyMap<string, string> = new Map([
  ['node', 'Folders and addresses'],
  ['transfers', 'Limits'],
  ['schedule', 'Schedule of alternative limits'],
  ['queue', 'Queue'],
  ['seeding', 'Seeding'],
  ['watch', 'Watched folders'],
  ['disk', 'Disk'],
  ['discovery', 'Finding peers'],
  ['relay', 'Relay'],
  ['tracker', 'Tracker'],
  ['api', 'Dashboard and API'],
  ['log', 'Log'],
]);

function headingOf(area: string): string {
  return AREAS.get(area) ?? area;
}

/** "Download limit" of "transfers.download-limit". */
function labelOf(name: string): string {
  const words = name
    .slice(name.indexOf('.') + 1)
    .replaceAll('-', ' ')
    .replace(/\bdir$/, 'folder');
  return words[0]!.toUpperCase() + words.slice(1);
}

function isBytes({ unit }: Setting): boolean {
  return unit !== null && /^bytes/i.test(unit);
}

/** The value as it stands in a field. */
function textOf({ value, type }: Setting): string {
  if (type === 'list') return Array.isArray(value) ? value.join('\n') : '';
  return value === null || value === undefined ? '' : String(value);
}

/** What the text of a field means. @throws {Error} that says what was expected. */
function meant(setting: Setting, text: string): unknown {
  const { type } = setting;
  if (type === 'list') return text.split('\n').flatMap((line) => line.trim() || []);
  if (type === 'integer' || type === 'number') {
    const value = isBytes(setting) ? parseBytes(text) : Number(text.replace(',', '.'));
    if (value === undefined || Number.isNaN(value) || text.trim() === '') {
      throw new Error(
        `${setting.name}: expected a number${isBytes(setting) ? ' of bytes, such as 500 K or 2.5 M' : ''}, got “${text}”.`,
      );
    }
    return value;
  }
  return text;
}

function change(name: string, value: unknown): Promise<boolean> {
  return attempt(() => request('PATCH', '/settings', { [name]: value }));
}

interface ControlProps {
  readonly setting: Setting;
  readonly id: string;
  readonly isHeld: boolean;
}

function TypedControl({ setting, id, isHeld }: ControlProps) {
  const current = textOf(setting);
  const [text, setText] = useState<string>();
  const shown = text ?? current;
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const isDone = await attempt(() => Promise.resolve().then(() => meant(setting, shown)));
    if (isDone && (await change(setting.name, meant(setting, shown)))) setText(undefined);
  };
  const shared = { id, disabled: isHeld, 'aria-describedby': `${id}-help`, spellCheck: false };
  return (
    <form className="setting-form" onSubmit={(event) => void submit(event)}>
      {setting.type === 'list' ? (
        <textarea
          {...shared}
          rows={3}
          value={shown}
          onChange={({ target }) => setText(target.value)}
        />
      ) : (
        <input
          {...shared}
          type={/password$/.test(setting.name) ? 'password' : 'text'}
          autoComplete="off"
          value={shown}
          onChange={({ target }) => setText(target.value)}
        />
      )}
      {setting.unit === null ? null : (
        <span className="hint num">
          {isBytes(setting) && /^\d+$/.test(shown) && Number(shown) >= 1024
            ? `= ${bytesText(Number(shown))}`
            : setting.unit}
        </span>
      )}
      {text === undefined || text === current ? null : (
        <Button kind="primary" isSubmit>
          Keep
        </Button>
      )}
    </form>
  );
}

function Control({ setting, id, isHeld }: ControlProps) {
  const { name, type, value, choices } = setting;
  if (type === 'boolean') {
    return (
      <input
        type="checkbox"
        role="switch"
        className="switch"
        id={id}
        aria-describedby={`${id}-help`}
        checked={value === true}
        aria-checked={value === true}
        disabled={isHeld}
        onChange={({ target }) => void change(name, target.checked)}
      />
    );
  }
  if (type === 'choice' && choices !== null) {
    return (
      <select
        id={id}
        aria-describedby={`${id}-help`}
        value={String(value)}
        disabled={isHeld}
        onChange={({ target }) => void change(name, target.value)}
      >
        {choices.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    );
  }
  return <TypedControl setting={setting} id={id} isHeld={isHeld} />;
}

function SettingRow({ setting }: { readonly setting: Setting }) {
  const { name, help, source, isLive } = setting;
  const id = useId();
  const held = HELD[source];
  return (
    <li className="setting">
      <div>
        <label htmlFor={id}>{labelOf(name)}</label>
        <code className="setting-name">{name}</code>
        <p className="hint" id={`${id}-help`}>
          {shownName(help)}
          {isLive ? '' : ' Counts after the next start.'}
          {held === undefined ? '' : ` ${held}`}
        </p>
      </div>
      <div className="setting-control">
        <Control setting={setting} id={id} isHeld={held !== undefined} />
        <span className="label">
          {held === undefined ? null : <Icon name="lock" />}
          {source}
        </span>
        {source === 'saved' ? (
          <Button kind="quiet" aria-label={`Reset ${name}`} onClick={() => void change(name, null)}>
            Reset
          </Button>
        ) : null}
      </div>
    </li>
  );
}

function placeOf(area: string): number {
  const at = [...AREAS.keys()].indexOf(area);
  return at < 0 ? AREAS.size : at;
}

/** Leads to the areas; the address stays, since its fragment names the page. */
function AreaLinks({ areas }: { readonly areas: readonly string[] }) {
  return (
    <nav className="area-links" aria-label="Areas">
      {areas.map((area) => (
        <button
          key={area}
          type="button"
          className="chip"
          onClick={() => {
            const section = document.getElementById(`area-${area}`);
            section?.scrollIntoView({ block: 'start' });
            section?.focus({ preventScroll: true });
          }}
        >
          {headingOf(area)}
        </button>
      ))}
    </nav>
  );
}

export function SettingsPage() {
  useTopics('settings');
  const rows = useRows(settings);
  const isLoaded = useIsLoaded(settings);
  const [search, setSearch] = useState('');
  const word = search.trim().toLowerCase();
  const areas = [
    ...Map.groupBy(
      rows.filter(({ name, help, area }) =>
        `${name} ${labelOf(name)} ${headingOf(area)} ${help}`.toLowerCase().includes(word),
      ),
      ({ area }) => area,
    ),
  ].sort(([a], [b]) => placeOf(a) - placeOf(b));
  return (
    <div className="page">
      <div className="page-head">
        <h1>Settings</h1>
        <Button icon="leave" onClick={() => void attempt(signOut)}>
          Sign out
        </Button>
      </div>
      <search className="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Search settings"
          placeholder="Search settings"
          value={search}
          onChange={({ target }) => setSearch(target.value)}
        />
      </search>
      {isLoaded && areas.length === 0 ? <p className="hint">No setting has these words.</p> : null}
      {areas.length > 1 ? <AreaLinks areas={areas.map(([area]) => area)} /> : null}
      {areas.map(([area, members]) => (
        <section
          key={area}
          id={`area-${area}`}
          className="card"
          aria-label={headingOf(area)}
          tabIndex={-1}
        >
          <h2>{headingOf(area)}</h2>
          <ul className="settings">
            {members.map((setting) => (
              <SettingRow key={setting.name} setting={setting} />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
