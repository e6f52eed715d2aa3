/**
 * The part of the API that is about settings without a running node: apart, so that nothing else is loaded for it.
 * @module
 */
import { Settings } from '../settings/settings.ts';
import { Store } from '../store/store.ts';

/** Settings of a home, and what closes them. */
export interface OpenSettings extends AsyncDisposable {
  readonly settings: Settings;
}

/** @throws {AppError} ERR_SETTINGS, ERR_CONFIG, ERR_DATABASE_*. */
export async function openSettings(home: string): Promise<OpenSettings> {
  const store = await Store.open(home);
  try {
    const settings = await Settings.open({ home, table: store.settings });
    return { settings, [Symbol.asyncDispose]: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}

export type { Settings };
