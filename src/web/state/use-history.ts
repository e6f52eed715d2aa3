/**
 * The rates of the last minutes as a component's state, once a second.
 * @module
 */
import { useEffect, useState } from 'react';
import type { History } from './joined-history.ts';
import { historyOf } from './rate-history.ts';

export function useHistory(key: string): History {
  const [data, setData] = useState<History>(() => ({ ...historyOf(key) }));
  useEffect(() => {
    const update = (): void => setData({ ...historyOf(key) });
    update();
    const timer = setInterval(update, 1000);
    return () => clearInterval(timer);
  }, [key]);
  return data;
}
