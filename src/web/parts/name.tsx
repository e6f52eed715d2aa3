/**
 * A name that a stranger chose: isolated from the text around it, its hidden characters made visible.
 * @module
 */
import { shownName } from '../words/shown-name.ts';

export function Name({ text, className }: { readonly text: string; readonly className?: string }) {
  return (
    <bdi className={className} title={shownName(text)}>
      {shownName(text)}
    </bdi>
  );
}
