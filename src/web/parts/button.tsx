/**
 * Buttons: with words, with an icon and a label, and one that copies.
 * @module
 */
import { type ButtonHTMLAttributes, type ReactNode, useEffect, useState } from 'react';
import { tellProblem } from '../state/notice.ts';
import { Icon, type IconName } from './icon.tsx';

type Attributes = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'className' | 'type'>;

export function Button({
  kind = 'plain',
  icon,
  children,
  isSubmit = false,
  ...attributes
}: Attributes & {
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet';
  readonly icon?: IconName;
  readonly children: ReactNode;
  readonly isSubmit?: boolean;
}) {
  return (
    <button type={isSubmit ? 'submit' : 'button'} className={`button ${kind}`} {...attributes}>
      {icon === undefined ? null : <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

export function IconButton({
  icon,
  label,
  ...attributes
}: Attributes & { readonly icon: IconName; readonly label: string }) {
  return (
    <button
      type="button"
      className="button icon-only"
      aria-label={label}
      title={label}
      {...attributes}
    >
      <Icon name={icon} />
    </button>
  );
}

// Sizes and times of the display
/** How long "Copied" is shown, in milliseconds. */
const COPIED_MS = 1_500;

/** Copies a text; says so. */
export function CopyButton({
  text,
  label = 'Copy',
}: {
  readonly text: string;
  readonly label?: string;
}) {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setIsCopied(true);
    } catch {
      tellProblem(
        new Error('The browser does not let this page copy. Select the text and copy it by hand.'),
      );
    }
  };
  return (
    <Button icon={isCopied ? 'check' : 'copy'} onClick={() => void copy()}>
      <span aria-live="polite">{isCopied ? 'Copied' : label}</span>
    </Button>
  );
}
