/**
 * Tabs as the ARIA practices have them: arrows move between them, Tab goes into the panel.
 * @module
 */
import { type KeyboardEvent, type ReactNode, useId } from 'react';

export function Tabs<Key extends string>({
  label,
  tabs,
  value,
  onChange,
  children,
}: {
  readonly label: string;
  readonly tabs: readonly (readonly [Key, string])[];
  readonly value: Key;
  readonly onChange: (key: Key) => void;
  readonly children: ReactNode;
}) {
  const id = useId();
  const move = (event: KeyboardEvent): void => {
    const at = tabs.findIndex(([key]) => key === value);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next =
      event.key === 'Home'
        ? 0
        : event.key === 'End'
          ? tabs.length - 1
          : step === undefined
            ? undefined
            : (at + step + tabs.length) % tabs.length;
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const [key] = tabs[next]!;
    onChange(key);
    document.getElementById(`${id}-${key}`)?.focus();
  };
  return (
    <div className="tabs">
      <div className="tab-list" role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map(([key, words]) => (
          <button
            key={key}
            type="button"
            role="tab"
            id={`${id}-${key}`}
            className="tab"
            aria-selected={key === value}
            aria-controls={`${id}-panel`}
            tabIndex={key === value ? 0 : -1}
            onClick={() => onChange(key)}
          >
            {words}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${id}-panel`}
        className="tab-panel"
        aria-labelledby={`${id}-${value}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a panel that scrolls has to be reachable by keyboard.
        tabIndex={0}
      >
        {children}
      </div>
    </div>
  );
}
