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
    'b398e72fb81b88128611e823e90866f615a813b802e5c00251a75b0d7d051a620a4cf5fd5a63bf956b865f5832b02e11a3f0a0bc3c01eb17166018de4b5b8839e3b841e3b5154f3541925c0a098d4829ceeb22af9807d7d165cf97854e02c80d6b7de444a36b8a575ece0324d8345ff261',
  'The same hashes were asked of a peer again that still owed them.':
    'dee0d20a96f070147f09db5117b4bb5faa16101837c7630b03266efff6bc9b107d0e6f26a98ff93226d71444ca02df2899d6cecdca28e8b426ea7fa69c4b55611ce7ca41496f049879359f8747d1cee298f20c3de0df08b462de08547bf79857058769347ce4bdd67316d092ac7ff47841e488255133cc5e002a4ffe8c0fdaebbfafedf4c7c3d6614c996722e67cfca93bd9f5fc032ea96408f082576bef',
  'Of two bitfields before the metadata the second one replaced the first.':
    'd7d1746054e98a8542e193015f29752582b2020ddb6b6d0fa7062f53cd614549c6c9072f2684311e0e32cb51d1ccc106f54c371332e860ae9636f665564c9178dbfc9a55612d4be25f62bdb53bd9ca6b892a335bb5058fb4bde0e5ceffd9dc6674442a7c44258eceee4f3dc04e63c83187660878273592486ae528c9c6b041ad075fc11df32f0fc4f6db31b2af82084bd58247',
  'Requests that had timed out did not count for the `reqq` of the peer that still had them waiting.':
    'f2aee6a69540b9c80127d4deb558074b8b3558b209c375f41a220461de1ad36d9010a18513eb19163523f381464f67454398dfe7d659bc0827e5184cc78cde922946002593de1ac74b6755ca6dddfc59378989cabc08c5609cce085d5718f60131ce7168f1a53608305f340907b0703208423b283e23cd439844f7bd7d58829fcd8f71e6c53cbf75eb285d6470868ee198de3be0044481f63483bcebded1a92bb3a3d817',
  'A hybrid that contradicted itself paused, and stayed interested.':
    '4fd3792a7c1ff197d616c41b4ff0aa68a6e70997fc526f0c5a817f014305309f5186a91234ad4974c6687b2f048527b72998fabba57e2e9bc4fd875b901a89',
  'A piece that was lost and told again before the metadata was not believed to be there.':
    '0a2f11890fd01f01d601dbdc2300dfe5c68b0208be70bb50032f049abad815286fc3a5f0912da202e9073ed6abbde27dffe0f94cf721fd8fa9c9db65bfda2e5c8d87e5d77b1edefc89bca02f57bf25e16d275dd922aa5e74940162cb9b76549b6ea74542e83419ba2dfbfef7b7e7aeda0d3b97a35dd6640c4b634e00e4e5a73ab11919796b2a6f4142c489f35781147575d88ec4fac22c5d079b5dbe8dfdb82088dc1e1e1b41adb395b22e6f47',
  'Without BEP 6, requests that had timed out were owed for ever by a peer that lost the piece.':
    'f68cb0ea6c8124834c2472a0746f4072eb17996b8404eb2b3d96fe73b893283da8062afe89122d91f57b40e9ba618a4b62e83f26c4fd559c797fd25ab776b0010ab5386a5e001eed070e22ff2912915a16db0868cbd901be51f0701fdd1e410b92a7a89ce75a9c268d4741a3f87ad38cffd235dbab2ac83a3b1fc8b11c74cfaf4477586629caf42f08453d42671edf9cb86e1542f3105b46e395f50b3a694b5406c4ff6d0ca83f2eef6f8e5b5003bdf685315a765b44cad5adb71c64bbf82cdfb86d3a6fc034b00f92aa08f31daf75e5dc041a9eb635bd2bb1621e296641203012d42ac00b23b7a78faff14fed501201a20b9b60215fffe180c0b43b02c3a6fb0812b029d19866d492f30fc886343efc610d6ac83d6daeaad6e77f66820c412c7bbe9b034adc764a5e476e592735414098800efb77bb01877be6c2e7e35792376536b4cee1dcfea56e87eb0652b6bb59746d60a5d9c56308ce9e0bd78797f302b6f3819a04a96debc52b2924aaa82775f8d7664eb7b59836109a1923bedec99936359925017c61ec6aed40256c841004dc86b69ba48eafda8e2aa364ce26b322e8d07175ba8043b3f1d165005621285195c44ffb878679193092ffa55127c8b4d5bda722b317d914a9a12a223903facfd1182a459e765a036aa7799fa6a6',
};

/** All of them. */
export const CORPUS: readonly Uint8Array[] = Object.values(FOUND).map((hex) => fromHex(hex)!);
