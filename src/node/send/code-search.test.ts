import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { hoursToTry } from '../../protocol/send/index.ts';
import type { DhtService } from '../dht-service.ts';
import { CodeSearch } from './code-search.ts';

const timers = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('a search for the sender of a code', () => {
  it('leaves no timer behind when it is closed while the DHT is asked', async () => {
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<boolean>();
    const dht = {
      ready: () => {
        asked.resolve();
        return answer.promise;
      },
    } as unknown as DhtService;
    const search = new CodeSearch({
      code: 'pageant-moorland-toucan',
      firstKeys: Promise.resolve({
        hour: hoursToTry(Date.now())[0]!,
        rendezvousSeed: new Uint8Array(32),
        lanHash: new Uint8Array(20),
        recordKey: new Uint8Array(32),
        pakePassword: new Uint8Array(32),
      }),
      lsd: undefined,
      dht,
      port: 1,
      onKeys: () => {},
      onFound: () => {},
    });
    const run = search.run();
    await asked.promise;
    search.close();
    await run;
    const before = timers();
    answer.resolve(false);
    await setImmediate();
    await setImmediate();
    assert.equal(timers(), before);
  });
});
