/**
 * DHT datagrams: any bytes, at a live core that knows nodes and looks for something; also as answers to what it asked.
 * @module
 */
import { nodeCrypto, nodeEd25519 } from '../../src/io/crypto.ts';
import { fromLatin1 } from '../../src/lib/bytes.ts';
import { Rng } from '../../src/lib/rng.ts';
import { decodeDict, encode } from '../../src/protocol/bencode/index.ts';
import { Dht, decodeKrpc, type Endpoint } from '../../src/protocol/dht/index.ts';

const FROM: Endpoint = { host: '50.1.2.3', port: 4_000 };
const HASH = new Uint8Array(20).fill(7);
/** Datagrams that one datagram may cause: an answer, a ping, and what a step of two lookups asks. */
const MAX_SENT = 20;

/** Puts the transaction of a query into a foreign datagram, so that it counts as the answer. */
function asAnswer(bytes: Uint8Array, transaction: Uint8Array): Uint8Array | undefined {
  const decoded = decodeDict(bytes, { maxDepth: 20, maxTokens: 2_000, maxBytes: 1_400 });
  if (!decoded.ok) return undefined;
  return encode(new Map([...decoded.value.entries(), ['t', transaction] as const]));
}

function fuzz(bytes: Uint8Array): void {
  decodeKrpc(bytes);
  const dht = new Dht(0, { family: 4, crypto: nodeCrypto, ed25519: nodeEd25519, rng: new Rng(1) });
  dht.addPeerNode(0, FROM);
  dht.getPeers(0, HASH, 6_881);
  dht.getMutable(0, new Uint8Array(32));
  let sent = 0;
  for (let round = 0; round < 3; round += 1) {
    const answers: Uint8Array[] = [bytes];
    for (let output = dht.poll(); output !== undefined; output = dht.poll()) {
      if (output.type !== 'transmit') continue;
      sent += 1;
      if (output.bytes.length > 1_400) throw new Error(`sent ${output.bytes.length} bytes at once`);
      const message = decodeDict(output.bytes);
      if (!message.ok) throw new Error(`sent what does not parse: ${message.message}`);
      const answer = asAnswer(bytes, message.value.bytes('t')!);
      if (answer !== undefined) answers.push(answer);
    }
    for (const answer of answers) dht.handlePacket(round, FROM, answer);
    dht.handleTimeout(round * 2_000);
  }
  const { table, pendingQueries, storedInfoHashes, storedItems } = dht.status(6_000);
  if (sent > 3 * MAX_SENT || pendingQueries > 3 * MAX_SENT)
    throw new Error(`sent ${sent} datagrams`);
  if (table.good + table.questionable > 1) throw new Error('one host became several nodes');
  if (storedInfoHashes + storedItems > 1) throw new Error('stored something without a token');
}

const ID = 'abcdefghij0123456789';
const NODES = `${'n'.repeat(20)}\x14\x01\x02\x03\x04\x05`;

export const target: { name: string; seeds: Uint8Array[]; run(bytes: Uint8Array): void } = {
  name: 'dht',
  seeds: [
    `d1:ad2:id20:${ID}e1:q4:ping1:t2:aa1:y1:qe`,
    `d1:ad2:id20:${ID}6:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee1:q9:find_node1:t2:aa1:y1:qe`,
    `d1:ad2:id20:${ID}9:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe`,
    `d1:ad2:id20:${ID}12:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe`,
    `d1:ad3:casi1e2:id20:${ID}1:k32:${'k'.repeat(32)}4:salt2:ab3:seqi4e3:sig64:${'s'.repeat(64)}5:token8:aoeusnth1:vi1ee1:q3:put1:t2:aa1:y1:qe`,
    `d2:ip6:\x01\x02\x03\x04\x05\x061:rd2:id20:${ID}5:nodes26:${NODES}5:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re`,
    `d1:rd2:id20:${ID}1:k32:${'\0'.repeat(32)}3:seqi4e3:sig64:${'s'.repeat(64)}5:token8:aoeusnth1:vi1ee1:t2:aa1:y1:re`,
    'd1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee',
  ].map(fromLatin1),
  run: fuzz,
};
