/**
 * How a peer was found, in words for people.
 * @module
 */
import type { PeerOrigin } from '../node/api/index.ts';

const WORDS: Readonly<Record<PeerOrigin, string>> = {
  given: 'given by you',
  magnet: 'in the link',
  tracker: 'tracker',
  dht: 'DHT',
  pex: 'peer exchange',
  lan: 'local network',
  kept: 'earlier run',
  incoming: 'came to us',
  'web-seed': 'web seed',
};

/** "tracker", "peer exchange", … */
export function originInWords(source: PeerOrigin): string {
  return WORDS[source];
}
