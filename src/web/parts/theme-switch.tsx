/**
 * Chooses light, dark, or as the system says, one after another.
 * @module
 */
import { chooseTheme, type Theme, theme } from '../state/theme.ts';
import { useValue } from '../state/value.ts';
import { IconButton } from './button.tsx';

const NEXT: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' };
const ICONS = { system: 'system', light: 'sun', dark: 'moon' } as const;
const WORDS = { system: 'as the system says', light: 'light', dark: 'dark' } as const;

export function ThemeSwitch() {
  const value = useValue(theme);
  return (
    <IconButton
      icon={ICONS[value]}
      label={`Colours: ${WORDS[value]}. Change to: ${WORDS[NEXT[value]]}`}
      onClick={() => chooseTheme(NEXT[value])}
    />
  );
}
