/**
 * The steps of a run: which there are, how often each comes, and what happens here rather than at a peer.
 * @module
 */
import { makeReserved } from '../../../src/protocol/peer-wire/index.ts';
import { SEED_RULES as RULES, type SeedRuleName } from '../../../src/protocol/swarm/choke-rules.ts';
import type { PeerAddress } from '../../../src/protocol/swarm/index.ts';
import type { Choices } from './choices.ts';
import * as peer from './peer-moves.ts';
import { OUR_PEER_ID, World } from './world.ts';

const SEED_RULES = Object.keys(RULES) as SeedRuleName[];

type Move = (world: World, choices: Choices) => void;

/** Hosts that peers come from: some share one, some have IPv6, some are on loopback. */
const HOSTS = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.3.3',
  '10.0.4.4',
  '10.5.5.5',
  '2001:db8::1',
  '127.0.0.1',
];

function addressOf(choices: Choices): PeerAddress {
  return { host: choices.of(HOSTS)!, port: 1_000 + choices.below(4) };
}

function introduction(
  world: World,
  choices: Choices,
): {
  reserved: Uint8Array;
  peerId: Uint8Array;
  infoHash: Uint8Array;
} {
  const caps = choices.below(32);
  const hashes = [world.infoHashV1, world.infoHashV2?.subarray(0, 20)].filter(
    (hash) => hash !== undefined,
  );
  return {
    reserved: makeReserved({ fast: caps % 4 > 0, extension: (caps & 12) > 0, v2: caps > 15 }),
    peerId: choices.oneIn(32) ? OUR_PEER_ID : new Uint8Array(20).fill(choices.below(256)),
    infoHash: choices.of(hashes)!,
  };
}

const connectIncoming: Move = (world, choices) => {
  const address = addressOf(choices);
  // A shell asks first, and need not.
  if (!world.swarm.admits(world.nowMs, address) && choices.below(4) > 0) return;
  world.connect({ address, isIncoming: true, ...introduction(world, choices) });
};

const answerDial: Move = (world, choices) => {
  const at = choices.below(world.dials.length);
  const [dial] = world.dials.splice(at, 1);
  if (dial === undefined) return;
  if (choices.below(3) === 0) world.swarm.handleDialFailed(world.nowMs, dial.dial);
  else world.connect({ ...dial, isIncoming: false, ...introduction(world, choices) });
};

const addPeers: Move = (world, choices) => {
  const addresses = Array.from({ length: 1 + choices.below(4) }, () => addressOf(choices));
  const source = choices.of(['given', 'tracker', 'magnet'] as const)!;
  world.swarm.addPeers(world.nowMs, addresses, source);
};

const forgetPeers: Move = (world, choices) => {
  if (choices.oneIn(8)) world.swarm.forgetPeers(world.nowMs);
};

const judge: Move = (world, choices) => {
  for (const piece of [...world.store.full.keys()]) {
    const kind = choices.below(32);
    if (kind < 7) continue;
    if (kind < 9) world.loseOpen(piece, { isFault: true });
    else if (kind === 9 && world.torrent.info.version === 'hybrid' && world.areLayersKnown) {
      const { v1 } = world.torrent.outcomeOf(piece, false);
      const { v2 } = world.torrent.outcomeOf(piece, true);
      world.loseOpen(piece, { v1: v1!, v2: v2! });
    } else world.judge(piece);
  }
};

const failDisk: Move = (world, choices) => {
  const open = [...world.store.open.keys()];
  if (open.length > 0) world.loseOpen(open[choices.below(open.length)]!, { isFault: true });
};

const answerDigest: Move = (world, choices) => world.digest(choices.oneIn(6));

const waitShort: Move = (world, choices) => world.wait(1 + choices.below(80));
const waitMedium: Move = (world, choices) => world.wait(100 + 10 * choices.below(256));
const settle: Move = (world) => world.settle();
const waitLong: Move = (world, choices) => world.wait(1_000 * (5 + choices.below(180)));

const setPriorities: Move = (world, choices) => {
  const kind = choices.below(3);
  const { model } = world;
  const priorities = model.priorities.map(() => (kind === 0 ? 4 : choices.below(8)));
  if (kind === 2) for (let piece = 0; piece < priorities.length; piece += 2) priorities[piece] = 0;
  if (!model.isKnown) return;
  for (const [piece, priority] of priorities.entries()) model.priorities[piece] = priority;
  world.swarm.setPriorities((piece) => priorities[piece]!, world.nowMs);
};

const setOrder: Move = (world, choices) => world.swarm.setSequential(choices.below(2) === 0);
const setOpenLimit: Move = (world, choices) => {
  world.isOpenLimited = true;
  world.swarm.setOpenLimit(1 + choices.below(20));
};

/** Deadlines of a few pieces, some past, some twice; sometimes none at all. */
const setDeadlines: Move = (world, choices) => {
  if (!world.model.isKnown) return;
  const { pieceCount } = world.torrent.info;
  const deadlines = Array.from({ length: choices.below(8) }, () => ({
    piece: choices.below(pieceCount),
    dueMs: world.nowMs - 2_000 + 100 * choices.below(256),
  }));
  world.deadlined = new Set(deadlines.map(({ piece }) => piece));
  world.swarm.setDeadlines(world.nowMs, deadlines);
};

const superSeed: Move = (world, choices) => {
  const isOn = choices.below(2) === 0;
  if (!world.swarm.setSuperSeeding(isOn)) return;
  world.isSuperSeeding = isOn;
};

const losePiece: Move = (world, choices) => {
  const have = [...world.model.have];
  if (have.length > 0) world.losePiece(have[choices.below(have.length)]!);
};

const setUploads: Move = (world, choices) => {
  world.swarm.setUploadLimit(choices.of([0, 20_000, 1_000_000])!);
  world.swarm.setSeedRule(choices.of(SEED_RULES)!);
};

const pauseOrResume: Move = (world, choices) => {
  const isPause = choices.below(3) === 0;
  world.model.isPaused = isPause;
  if (isPause) world.swarm.pause();
  else world.swarm.resume();
};

const setTorrent: Move = (world) => {
  if (world.hasMetadata) world.setTorrent();
};

function ofPeer(move: peer.PeerMove): Move {
  return (world, choices) => {
    const connection = world.connections[choices.below(world.connections.length)];
    if (connection !== undefined) move(world, connection, choices);
  };
}

const pump: Move = ofPeer((world, connection, choices) => {
  world.pump(connection, 1 + choices.below(4), choices.oneIn(16));
});

/** How often each comes, of about 256. */
const MOVES: readonly (readonly [number, Move])[] = [
  [12, connectIncoming],
  [6, answerDial],
  [3, addPeers],
  [1, forgetPeers],
  [12, judge],
  [2, failDisk],
  [5, answerDigest],
  [5, waitShort],
  [6, waitMedium],
  [2, waitLong],
  [4, settle],
  [2, setPriorities],
  [1, setOrder],
  [1, setOpenLimit],
  [3, setDeadlines],
  [3, pauseOrResume],
  [2, superSeed],
  [3, losePiece],
  [1, setUploads],
  [3, setTorrent],
  [14, pump],
  [12, ofPeer(peer.tellPieces)],
  [8, ofPeer(peer.tellHave)],
  [3, ofPeer(peer.tellLoss)],
  [2, ofPeer(peer.tellPeers)],
  [11, ofPeer(peer.chokeOrNot)],
  [8, ofPeer(peer.interestOrNot)],
  [15, ofPeer(peer.request)],
  [5, ofPeer(peer.cancel)],
  [44, ofPeer(peer.giveBlocks)],
  [2, ofPeer(peer.giveUnasked)],
  [10, ofPeer(peer.arrive)],
  [5, ofPeer(peer.reject)],
  [4, ofPeer(peer.allowFast)],
  [8, ofPeer(peer.shakeExtensions)],
  [10, ofPeer(peer.exchangeMetadata)],
  [4, ofPeer(peer.askHashes)],
  [8, ofPeer(peer.giveHashes)],
  [1, ofPeer(peer.giveUnaskedHashes)],
  [3, ofPeer(peer.prattle)],
  [2, ofPeer(peer.garbage)],
  [3, ofPeer(peer.leave)],
];

const TABLE: readonly Move[] = MOVES.flatMap(([weight, move]) =>
  new Array<Move>(weight).fill(move),
);

/** Who watches a life. */
export interface Witness {
  /** Gets what happens, in words. */
  readonly story?: string[];
  readonly onStep?: (step: number) => void;
}

/** Lives a whole run. @returns how many steps it had. @throws on a bug only. */
export function live(choices: Choices, witness: Witness = {}): number {
  const world = new World(choices, witness.story);
  world.drain();
  world.check();
  let steps = 0;
  while (!choices.isDone) {
    const move = TABLE[choices.below(TABLE.length)]!;
    world.tell(() => `move ${MOVES.findIndex((each) => each[1] === move)}`);
    move(world, choices);
    world.drain();
    world.check();
    steps += 1;
    witness.onStep?.(steps);
  }
  world.settle();
  world.swarm.stop(world.nowMs);
  world.drain();
  if (world.connections.length > 0) throw new Error('connections outlive the end');
  return steps;
}
