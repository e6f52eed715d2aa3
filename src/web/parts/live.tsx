/**
 * What changes several times a second, drawn by hand: React draws the element once, and each change of its row sets a text or a style, nothing else.
 * @module
 */
import { type ComponentProps, useLayoutEffect, useRef } from 'react';
import type { Collection } from '../state/collection.ts';
import { barTransform } from './bar.tsx';

/** The row that an element shows. */
interface Place<Row extends object> {
  readonly of: Collection<Row>;
  readonly id: string;
}

/** Draws now, and after each change of the row. */
function useDrawn<Row extends object>({ of, id }: Place<Row>, draw: (row: Row) => void): void {
  const latest = useRef(draw);
  useLayoutEffect(() => {
    latest.current = draw;
    const row = of.get(id);
    if (row !== undefined) draw(row);
  });
  useLayoutEffect(
    () =>
      of.subscribeRow(id, () => {
        const row = of.get(id);
        if (row !== undefined) latest.current(row);
      }),
    [of, id],
  );
}

/** Text that follows a row. @param words the text of the moment. */
export function LiveText<Row extends object>({
  of,
  id,
  words,
  ...span
}: Place<Row> & { readonly words: (row: Row) => string } & Omit<
    ComponentProps<'span'>,
    'id' | 'children'
  >) {
  const ref = useRef<HTMLSpanElement>(null);
  useDrawn({ of, id }, (row) => {
    const text = words(row);
    const known = ref.current!.firstChild as Text | null;
    if (known === null) ref.current!.append(text);
    else if (known.data !== text) known.data = text;
  });
  return <span ref={ref} {...span} />;
}

/** A bar of progress that follows a row. @param share 0 to 1. */
export function LiveBar<Row extends object>({
  of,
  id,
  share,
  state,
}: Place<Row> & { readonly share: (row: Row) => number; readonly state: string }) {
  const ref = useRef<HTMLSpanElement>(null);
  useDrawn({ of, id }, (row) => {
    ref.current!.style.transform = barTransform(share(row));
  });
  return (
    <span className={`bar ${state}`} aria-hidden="true">
      <span ref={ref} />
    </span>
  );
}
