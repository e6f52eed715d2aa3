/**
 * Lives that broke a rule once, as short as they got. The bytes stand for moves by their place in a table: after a change of it they are inputs like any other,
 * and what they found is kept by the unit tests of the core.
 * @module
 */
import { fromHex } from '../../../src/lib/bytes.ts';

/** What each found → its bytes. */
const FOUND: Readonly<Record<string, string>> = {
  'A request before the metadata had no answer.': '4441e3449f44f00b1f53fab3cf91484ab85937',
  'An answer to a hash request that had been given up cost an honest peer its connection.':
    '27f92629a6a7a381bb7e8f4f68b6ac0060df049159939d24d4909d7af85c5837236d9d809bef',
  'The same hashes were asked of a peer again that still owed them.':
    '27f9713155f48857147a83d44f90241d6c082fedd4f9cb77f16148d82d571181403918d3d2dd281e1fff71dc6ec000dd978fd8f0a539c4acffa4d4ebd81ca659c5d011df3557e742a904b37573dafb930885900f482b398fe31ef19d43abc15aad9c5befc7',
  'Of two bitfields before the metadata the second one replaced the first.':
    'd8b66015c83cdd099a0c6460ae59767a88349478f32595d96777a2ae672b96e95938eb48092bc66c0e984d4935ca58d24e3277bc970f805f564228386de382dd935ee155f8badc6209f226d68a7eb6d476980be575d54cc2e32de3f01548',
  'Requests that had timed out did not count for the `reqq` of the peer that still had them waiting.':
    'cb25fc62692dd15e082568d243b68708e5ec59b0a99d3eb840ec9c920b720d4e78d01962f376e78dedafc4f3373a9c06dd36c8ffecdd3bbedabd8f51ec41c1b7af9c645724b0bc',
  'A hybrid that contradicted itself paused, and stayed interested.':
    'cb25fc62695feb3b003ac727c6430878820797c745b84ae2a4d97b66b854b568b093a2e8c91fa87dd3eb3efa17b8625e58db73d5f310a41b49',
};

/** All of them. */
export const CORPUS: readonly Uint8Array[] = Object.values(FOUND).map((hex) => fromHex(hex)!);
