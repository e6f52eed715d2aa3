/**
 * Lives that broke a rule once, as short as they got. The bytes stand for moves by their place in a table: after a change of it they are inputs like any other,
 * and what they found is kept by the unit tests of the core.
 * @module
 */
import { fromHex } from '../../../src/lib/bytes.ts';

/** What each found → its bytes. */
const FOUND: Readonly<Record<string, string>> = {
  'A request before the metadata had no answer.': '4441e3449f44f00b1f53fab3cf914843a54ab85937',
  'An answer to a hash request that had been given up cost an honest peer its connection.':
    '12e44d3e8a40d8ed0a91c65fb123021032171687893df010dd3b5bac5c3a309b6f1232ec800267baac6cf4',
  'The same hashes were asked of a peer again that still owed them.':
    '27f9713155f48857147a83d44f90241d6c082fedd4f9cb77f16148d82d571181403918d3d2dd281e1fff71dc6ec000dd978fd8f0a539c4acffa4d4ebd81ca659c5d011df3557e742a904b37573dafb930885900f482b398fe31ef19d43abc15aad9c5befc7',
  'Of two bitfields before the metadata the second one replaced the first.':
    'd8b66015c83cdd099a0c6460ae59767a88349478f32595d96777a2ae672b96e95938eb48092bc66c0e984d49f404c5eaea3402030cc867eae74635ca58d24e3277bc970f805f564228386de382dd935ee155f8badc6209f226d68a7eb6d476980be575d54cc25d8321975a3ce32de3f01548',
  'Requests that had timed out did not count for the `reqq` of the peer that still had them waiting.':
    'cb25fc62695f2fb90106b8368fc6f804a1df7a08b05d4082bcd556edcbd1253749ea0790730069bb5b74a413423c2dd15e9e8154c2427c7a83d30308a10dfe78c0b8269e4988b6bbc1045fb615c0a340e926e6003a26cfa4203458d40cdc62504aeddc842f0bfdf55dda608918b974a3733fd7b2e5847d20acee85ecc305cbe3a2f3553ee4ddc42007ef3fef7dfffa35bc6ff695379875a9c7bbfcec9057989d1a6ac2de8437807d766ca5e89880f2ad862dec89923276b22507f87e082568d2fe090dc89ed29b59503010a41b497b995c7effed420acd608a1443b687de08e5ec8b30987513c059b0a99d3eb840ec9c920b720d95e818cd95f96aabef98450d874e11f578d082c71962f376e78dedafc4f3373a9c06dd36c821ffecdd3bbedabd61dd8f51ec41c1a8333ac761966a5f6f3e8291e3b7af9c645724500df41e0cca3fb0bcf252bdfb355b2eaf94a15a7fbda27bbc39472243454b50899ff12488f8871084f42292938e595a3e75749994a53e37d12db4dd4f8f95dbb6c668c845d6db996fef21fc1385197fc3532b8269fb10a22bfd06afa6ba6f234a6312466c4c04ca4f91e37597c6434a',
  'A hybrid that contradicted itself paused, and stayed interested.':
    'cb25fc62695feb3b003ac727c6430878820797c745b84ae2a4d97b66b8e7f154b5680a65b06893a24a875ae8c91fa87dd3eb3efa17b8625e58db73d5f310a41b49',
};

/** All of them. */
export const CORPUS: readonly Uint8Array[] = Object.values(FOUND).map((hex) => fromHex(hex)!);
