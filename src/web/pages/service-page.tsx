/**
 * A page that a service of the node brings along, in an element of its own.
 * @module
 */
import { useEffect, useRef, useState } from 'react';
import { reasonOf, request } from '../state/api.ts';
import { route } from '../state/route.ts';
import { type PageModule, servicePages } from '../state/service-pages.ts';
import { usePart, useValue } from '../state/value.ts';

export function ServicePage() {
  const name = usePart(route, ({ parts }) => parts[0] ?? '');
  const page = useValue(servicePages).find((each) => each.name === name);
  const box = useRef<HTMLDivElement>(null);
  const [problem, setProblem] = useState<string>();
  const isKnown = page !== undefined;
  useEffect(() => {
    const element = box.current;
    if (!isKnown || element === null) return;
    let isOver = false;
    let end: (() => void) | undefined;
    const begin = async (): Promise<void> => {
      const url = `/api/v1/pages/${encodeURIComponent(name)}.js`;
      const module = (await import(/* @vite-ignore */ url)) as PageModule;
      if (!isOver) end = module.mount(element, { request });
    };
    begin().catch((error: unknown) => setProblem(reasonOf(error)));
    return () => {
      isOver = true;
      end?.();
      element.replaceChildren();
    };
  }, [name, isKnown]);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{page?.title ?? 'No such page'}</h1>
      </div>
      {problem === undefined ? null : (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <div ref={box} />
    </div>
  );
}
