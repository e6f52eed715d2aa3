/**
 * What does the piece picker cost per HAVE and per picked block in a large swarm?
 * `node bench/picker.ts [pieces] [peers]`, default 20,000 × 50; the goal is measured at 100,000 × 200.
 * @module
 */
import { Bitfield } from '../src/lib/bitfield.ts';
import { Rng } from '../src/lib/rng.ts';
import { PiecePicker } from '../src/protocol/swarm/picker.ts';

const BLOCKS = 16;
const IN_FLIGHT = 32;

interface Row {
  readonly what: string;
  readonly times: number;
  readonly nanoseconds: number;
}

/** Peers with random shares of the pieces, from newcomers to seeds. */
function makePeers(pieceCount: number, peerCount: number, rng: Rng): Bitfield[] {
  return Array.from({ length: peerCount }, (_, peer) => {
    const field = new Bitfield(pieceCount);
    const share = peer / peerCount;
    for (let piece = 0; piece < pieceCount; piece += 1) {
      if (rng.float() < share) field.add(piece);
    }
    return field;
  });
}

function time(what: string, times: number, work: () => void): Row {
  const start = performance.now();
  work();
  return { what, times, nanoseconds: ((performance.now() - start) * 1e6) / Math.max(1, times) };
}

function measureHaves(picker: PiecePicker, peers: Bitfield[], rng: Rng): Row {
  const haves: [peer: number, piece: number][] = [];
  for (let i = 0; haves.length < 200_000 && i < 2_000_000; i += 1) {
    const peer = rng.below(peers.length);
    const piece = rng.below(picker.pieceCount);
    if (peers[peer]!.add(piece)) haves.push([peer, piece]);
  }
  return time('HAVE', haves.length, () => {
    for (const [peer, piece] of haves) picker.addHave(piece, peer);
  });
}

/** A download to its end: each peer keeps requests in flight, each arrival asks for the next block. */
function measureDownload(picker: PiecePicker, peers: Bitfield[], rng: Rng): Row[] {
  const out = new Uint32Array(2 * IN_FLIGHT);
  const flying: number[][] = peers.map(() => []);
  const waiting: number[] = [];
  let blocks = 0;
  let calls = 0;
  const ask = (peer: number): void => {
    const queue = flying[peer]!;
    const want = IN_FLIGHT - queue.length / 2;
    calls += 1;
    const picked = picker.pick(peer, peers[peer]!, want, peer % 4 === 0 ? 'whole' : 'shared', out);
    if (queue.length === 0 && picked > 0) waiting.push(peer);
    for (let i = 0; i < 2 * picked; i += 1) queue.push(out[i]!);
  };
  const start = performance.now();
  peers.forEach((_, peer) => {
    ask(peer);
  });
  while (waiting.length > 0) {
    const at = rng.below(waiting.length);
    const peer = waiting[at]!;
    const block = flying[peer]!.pop()!;
    const piece = flying[peer]!.pop()!;
    if (flying[peer]!.length === 0) {
      waiting[at] = waiting[waiting.length - 1]!;
      waiting.pop();
    }
    picker.markReceived(peer, piece, block);
    if (picker.isPieceComplete(piece)) picker.markHave(piece);
    blocks += 1;
    ask(peer);
  }
  const nanoseconds = (performance.now() - start) * 1e6;
  return [
    { what: 'block picked and received', times: blocks, nanoseconds: nanoseconds / blocks },
    { what: 'call of pick', times: calls, nanoseconds: nanoseconds / calls },
  ];
}

const pieceCount = Number(process.argv[2] ?? 20_000);
const peerCount = Number(process.argv[3] ?? 50);
const rng = new Rng(42);
const peers = makePeers(pieceCount, peerCount, rng);
const picker = new PiecePicker({ pieceCount, blockCount: () => BLOCKS, rng });
const rows = [
  time('bitfield', peerCount, () => {
    for (const peer of peers) picker.addBitfield(peer);
  }),
  time('building the order', 1, () => {
    picker.pick(0, new Bitfield(pieceCount), 1, 'shared', []);
  }),
  measureHaves(picker, peers, rng),
  ...measureDownload(picker, peers, rng),
];
console.log(`${pieceCount} pieces of ${BLOCKS} blocks, ${peerCount} peers`);
for (const row of rows) {
  console.log(
    `${row.what.padEnd(28)}${String(row.times).padStart(10)} times ${row.nanoseconds.toFixed(0).padStart(10)} ns each`,
  );
}
if (picker.wantedLeft > 0) console.log(`left: ${picker.wantedLeft} pieces that no peer has`);
