/**
 * Light, dark, or as the system says. Kept in this browser.
 * @module
 */
import { Value } from './value.ts';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'starling.theme';

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

export const theme = new Value<Theme>('system');

/** Grows when colours have to be read anew, by what draws on a canvas. */
export const colours = new Value(0);

function apply(): void {
  const value = theme.get();
  if (value === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = value;
  colours.set(colours.get() + 1);
}

export function beginTheme(): void {
  theme.set(stored());
  apply();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
}

export function chooseTheme(value: Theme): void {
  theme.set(value);
  try {
    if (value === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, value);
  } catch {
    // Storage may be off; the choice then lasts as long as the page.
  }
  apply();
}

/** A colour of the style sheet. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
