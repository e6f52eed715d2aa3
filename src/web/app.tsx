/**
 * The frame of the dashboard: who may see it, the rail of pages, what lies over every page.
 * @module
 */
import { Suspense, useEffect, useRef } from 'react';
import { Overlays } from './pages/overlays.tsx';
import { PAGE_VIEWS } from './pages/page-views.ts';
import { SignIn, Unreached } from './pages/sign-in.tsx';
import { Notices } from './parts/notices.tsx';
import { Rail } from './parts/rail.tsx';
import { isLive, node } from './state/live.ts';
import { route } from './state/route.ts';
import { session } from './state/session-value.ts';
import { useDerived, useIsLoaded } from './state/use-collection.ts';
import { useValue } from './state/value.ts';
import { shownName } from './words/shown-name.ts';

/** Says that the stream is broken, once it has been for a moment. */
function Lost() {
  const isOpen = useValue(isLive);
  const isLoaded = useIsLoaded(node);
  if (isOpen || !isLoaded) return null;
  return (
    <p className="lost" role="status">
      The node does not answer; what you see is of before. Trying again …
    </p>
  );
}

/** What the node wants known on every page: space that runs out. */
function Warnings() {
  const warnings = useDerived(node, (all) => all.get('node')?.warnings);
  return warnings?.map((warning) => (
    <p key={warning} className="lost" role="status">
      {shownName(warning)}
    </p>
  ));
}

function Main() {
  const { page } = useValue(route);
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  // A new page is a new place: the focus goes there, so that a screen reader begins there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the change of the page that counts.
  useEffect(() => {
    if (isFirst.current) isFirst.current = false;
    else main.current?.focus();
  }, [page]);
  const View = PAGE_VIEWS[page];
  return (
    <div className="frame">
      <button type="button" className="button skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <Rail />
      <main id="main" ref={main} tabIndex={-1}>
        <Lost />
        <Warnings />
        <Suspense fallback={null}>
          <View />
        </Suspense>
      </main>
      <Overlays />
    </div>
  );
}

export function App() {
  const state = useValue(session);
  return (
    <>
      {state === 'signed-in' ? <Main /> : null}
      {state === 'signed-out' ? <SignIn /> : null}
      {state === 'unreached' ? <Unreached /> : null}
      <Notices />
    </>
  );
}
