/**
 * What this node reveals, to whom and when, with the switches of what can be turned off.
 * @module
 */
import { useCallback, useEffect, useState } from 'react';
import type { Disclosure } from '../../../contract/index.ts';
import { Switch } from '../../parts/fields.tsx';
import { request } from '../../state/api.ts';
import { attempt, tellNews, tellProblem } from '../../state/notice.ts';

interface Picture {
  readonly disclosures: readonly Disclosure[];
}

export function Disclosures() {
  const [rows, setRows] = useState<readonly Disclosure[]>([]);
  const load = useCallback((): void => {
    request<Picture>('GET', '/privacy').then(
      ({ disclosures }) => setRows(disclosures),
      tellProblem,
    );
  }, []);
  useEffect(load, [load]);
  const change = async (name: string, isOn: boolean): Promise<void> => {
    if (!(await attempt(() => request('PATCH', '/privacy', { [name]: isOn })))) return;
    tellNews('Kept. A running node may follow with its next start.');
    load();
  };
  return (
    <section className="card stack" aria-labelledby="reveal-head">
      <h2 id="reveal-head">What is revealed to whom</h2>
      <ul className="disclosures">
        {rows.map(({ name, isOn, canSwitch, what, toWhom, when, off }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: several rows share a switch, and their order is fixed.
          <li key={at}>
            <Switch
              label={`${name}: ${what}`}
              hint={
                <>
                  To {toWhom}. {when}. {canSwitch ? '' : `Turned off by: ${off}.`}
                </>
              }
              isOn={isOn}
              isDisabled={!canSwitch}
              onChange={(next) => void change(name, next)}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}
