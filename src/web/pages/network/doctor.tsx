/**
 * Tests whether others can reach this node, on request, and says how to mend what is wrong.
 * @module
 */
import { useState } from 'react';
import type { Finding } from '../../../contract/index.ts';
import { Button } from '../../parts/button.tsx';
import { Icon } from '../../parts/icon.tsx';
import { request } from '../../state/api.ts';
import { attempt } from '../../state/notice.ts';
import { shownName } from '../../words/shown-name.ts';

const ICONS = { ok: 'check', warning: 'warning', problem: 'warning', unknown: 'help' } as const;
const WORDS = { ok: 'well', warning: 'doubtful', problem: 'wrong', unknown: 'not known' } as const;

export function Doctor() {
  const [findings, setFindings] = useState<readonly Finding[]>();
  const [isBusy, setIsBusy] = useState(false);
  const examine = async (): Promise<void> => {
    setIsBusy(true);
    await attempt(async () => {
      setFindings((await request<{ findings: Finding[] }>('POST', '/doctor')).findings);
    });
    setIsBusy(false);
  };
  return (
    <section className="card stack" aria-labelledby="doctor-head">
      <div className="page-head">
        <h2 id="doctor-head" className="grow">
          Can others reach this node?
        </h2>
        <Button icon="recheck" disabled={isBusy} onClick={() => void examine()}>
          {isBusy ? 'Testing …' : 'Test now'}
        </Button>
      </div>
      <div aria-live="polite">
        {findings === undefined ? (
          <p className="hint">
            Tests the ports, UDP, the DHT, trackers, the local network and the clock; it takes some
            seconds and asks other nodes for help.
          </p>
        ) : (
          <ul className="findings">
            {findings.map(({ what, state, text, remedy }) => (
              <li key={what} className={state}>
                <Icon name={ICONS[state]} />
                <div>
                  <strong>{what}</strong> <span className="sr">{WORDS[state]}: </span>
                  {shownName(text)}
                  {remedy === null ? null : <p className="hint">{shownName(remedy)}</p>}
                </div>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}
