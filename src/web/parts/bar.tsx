/**
 * A bar of progress. Decoration: the number stands beside it.
 * @module
 */
export function Bar({ share, state }: { readonly share: number; readonly state?: string }) {
  return (
    <span className={`bar ${state ?? ''}`} aria-hidden="true">
      <span style={{ transform: `scaleX(${Math.min(1, Math.max(0, share))})` }} />
    </span>
  );
}
