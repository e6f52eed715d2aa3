/**
 * Whether this browser may speak to the node. The token comes in the fragment of the address that the start of the node prints; it is taken out of the address at
 * once, exchanged for a cookie that scripts cannot read, and kept nowhere.
 * @module
 */
import { ApiError, request } from './api.ts';
import { session } from './session-value.ts';

/** The token of the address; it is no longer there afterwards. */
function takeToken(): string | undefined {
  const token = /^#token=([^&]+)/.exec(location.hash)?.[1];
  if (token === undefined) return undefined;
  history.replaceState(null, '', location.pathname);
  return decodeURIComponent(token);
}

/** Exchanges what the user has for a cookie. @throws {ApiError} when it is wrong. */
export async function signIn(secret: { token: string } | { password: string }): Promise<void> {
  await request('POST', '/session', secret);
  session.set('signed-in');
}

export async function signOut(): Promise<void> {
  await request('DELETE', '/session');
  session.set('signed-out');
}

/** Finds out whether there is a session, with the token of the address if it has one. */
export async function beginSession(): Promise<void> {
  const token = takeToken();
  try {
    if (token !== undefined) await signIn({ token });
    else {
      await request('GET', '/status');
      session.set('signed-in');
    }
  } catch (error) {
    const isRefused = error instanceof ApiError && [401, 403, 429].includes(error.problem.status);
    session.set(isRefused ? 'signed-out' : 'unreached');
  }
}
