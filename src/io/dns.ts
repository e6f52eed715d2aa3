/**
 * Names to addresses, under the reach policy: a refused name is never asked for, a refused address never returned.
 * Bounds: the operating system's resolver, at most 16 addresses kept; time is bounded by the caller's signal.
 * @module
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { formatIp, parseIp } from '../lib/ip-address.ts';
import { hostOf, isLocalhost, offlineError, type ReachPolicy } from './reach-policy.ts';

/** One address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Asks for all addresses of a name; tests put their own in. */
export type ResolveName = (name: string) => Promise<readonly HostAddress[]>;

// Implementation limits
const ADDRESSES_MAX = 16;
/** Names that `rememberNames` keeps. */
const NAMES_MAX = 16;
/** How long it keeps one. */
const NAME_TTL_MS = 60_000;

/**
 * The addresses of a host, best first. An IP literal is its own address; localhost is known without asking.
 * @param policy default: everything is allowed.
 * @param resolveName default: the system's resolver.
 * @throws AppError ERR_OFFLINE when the policy refuses; the resolver's error (code ENOTFOUND, …) when there is no address.
 */
export async function resolveHost(
  host: string,
  policy?: ReachPolicy,
  resolveName: ResolveName = askSystem,
): Promise<readonly HostAddress[]> {
  const bare = hostOf(host);
  policy?.checkHost(bare);
  const literal = parseIp(bare);
  if (literal !== undefined) {
    // A zone ("%eth0") says through which interface: keep it for the socket.
    const address = bare.includes('%') ? bare : formatIp(literal);
    return [{ address, family: literal.length === 4 ? 4 : 6 }];
  }
  if (isLocalhost(bare)) {
    return [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
  }
  const found = (await resolveName(bare)).slice(0, ADDRESSES_MAX);
  const allowed = found.filter(({ address }) => policy?.allowsAddress(address) ?? true);
  if (allowed.length === 0) {
    throw offlineError(host, `its addresses are not allowed (${found.length} found)`);
  }
  return allowed;
}

/**
 * A resolver that remembers what it was told, for a user that asks for the same few names over and over.
 * @param nowMs monotonic milliseconds.
 */
export function rememberNames(nowMs: () => number, ask: ResolveName = askSystem): ResolveName {
  const known = new Map<
    string,
    { readonly untilMs: number; readonly found: readonly HostAddress[] }
  >();
  return async (name) => {
    const entry = known.get(name);
    if (entry !== undefined && nowMs() < entry.untilMs) return entry.found;
    const found = await ask(name);
    if (known.size >= NAMES_MAX) known.clear();
    known.set(name, { untilMs: nowMs() + NAME_TTL_MS, found });
    return found;
  };
}

async function askSystem(name: string): Promise<readonly HostAddress[]> {
  const found = await systemLookup(name, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}
