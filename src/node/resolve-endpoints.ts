/**
 * Addresses that a person wrote, as IP addresses.
 * @module
 */
import { resolveHost } from '../io/dns.ts';
import type { ReachPolicy } from '../io/reach-policy.ts';
import type { Endpoint } from '../io/tcp.ts';
import { parseEndpoint } from './address.ts';

/**
 * Names are looked up, and what was named may be contacted. @param what the option they come from.
 * @throws {AppError} ERR_CONFIG for what is none, ERR_OFFLINE for a name that may not be looked up; the resolver's error.
 */
export async function resolveEndpoints(
  texts: readonly string[],
  what: string,
  policy: ReachPolicy,
): Promise<Endpoint[]> {
  const found: Endpoint[] = [];
  for (const text of texts) {
    const { host, port } = parseEndpoint(text, what);
    policy.giveSubnet(text);
    for (const { address } of await resolveHost(host, policy)) found.push({ host: address, port });
  }
  return found;
}
