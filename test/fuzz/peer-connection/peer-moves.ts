/**
 * What a peer may do: mostly what an honest one would, sometimes wrong, late, twice or out of place.
 *
 * Whoever breaks the protocol is marked as rude before the core hears of it: the core may close only such connections.
 * @module
 */
import {
  BLOCK_BYTES,
  DONT_HAVE_EXTENSION,
  encodeDontHave,
  encodeExtendedHandshake,
  encodeMetadataData,
  encodeMetadataReject,
  encodeMetadataRequest,
  encodePex,
  type HashRange,
  METADATA_EXTENSION,
  MessageWriter,
  PEX_EXTENSION,
} from '../../../src/protocol/peer-wire/index.ts';
import type { Choices } from './choices.ts';
import type { Connection, World } from './world.ts';

/** One thing that a peer does. */
export type PeerMove = (world: World, connection: Connection, choices: Choices) => void;

/** Tells that it lost a piece (BEP 54). */
export const tellLoss: PeerMove = (world, connection, choices) => {
  const { model } = connection;
  const id = model.ourExtensions.idOf(DONT_HAVE_EXTENSION);
  if (!model.who.hasExtension || id === undefined) return;
  const piece = pieceOf(world, connection, choices);
  world.say(connection, (writer) => writer.extended(id, encodeDontHave(piece)));
};

/** Tells of other peers, some of which do not exist (BEP 11). */
export const tellPeers: PeerMove = (world, connection, choices) => {
  const { model } = connection;
  const id = model.ourExtensions.idOf(PEX_EXTENSION);
  if (!model.who.hasExtension || id === undefined) return;
  // Too many of them is a fault.
  if (world.isPolite) return;
  connection.isRude = true;
  const added = Array.from({ length: 1 + choices.below(20) }, () => ({
    host: `10.${choices.below(3)}.${choices.below(3)}.${choices.below(256)}`,
    port: choices.below(65_536),
    flags: choices.below(32),
  }));
  world.say(connection, (writer) => writer.extended(id, encodePex({ added, dropped: [] })));
};

const DATA = new Uint8Array(BLOCK_BYTES);
/** Once in so many times something is out of its range. */
const ODD = 64;

function pieceOf(world: World, connection: Connection, choices: Choices): number {
  const { pieceCount } = world.torrent.info;
  if (world.isPolite || !choices.oneIn(ODD)) return choices.below(pieceCount);
  connection.isRude = true;
  return pieceCount + choices.below(3);
}

/** Its first word about pieces, or a late one, as some clients send. */
export const tellPieces: PeerMove = (world, connection, choices) => {
  const { model } = connection;
  const { pieceCount } = world.torrent.info;
  const kind = choices.below(4);
  if (kind === 0 && model.who.isFast) world.say(connection, (writer) => writer.haveAll());
  else if (kind === 1 && model.who.isFast) {
    // Right only as the first word.
    if (connection.messageCount > 0 && (world.isPolite || !choices.oneIn(8))) return;
    if (connection.messageCount > 0) connection.isRude = true;
    world.say(connection, (writer) => writer.haveNone());
  } else {
    const isOdd = !world.isPolite && choices.oneIn(ODD);
    if (isOdd) connection.isRude = true;
    const bits = new Uint8Array(Math.ceil(pieceCount / 8) + (isOdd ? choices.below(2) : 0));
    const share = choices.below(5);
    for (let piece = 0; piece < pieceCount; piece += 1) {
      if (share === 4 || choices.below(4) < share) bits[piece >> 3]! |= 0x80 >> (piece & 7);
    }
    if (isOdd) bits[bits.length - 1]! |= 1;
    world.say(connection, (writer) => writer.bitfield(bits));
  }
};

export const tellHave: PeerMove = (world, connection, choices) => {
  const piece = pieceOf(world, connection, choices);
  world.say(connection, (writer) => writer.have(piece));
};

export const chokeOrNot: PeerMove = (world, connection, choices) => {
  const isChoke = choices.below(4) === 0;
  world.say(connection, (writer) => (isChoke ? writer.choke() : writer.unchoke()));
};

export const interestOrNot: PeerMove = (world, connection, choices) => {
  const isInterest = choices.below(4) > 0;
  world.say(connection, (writer) => (isInterest ? writer.interested() : writer.notInterested()));
};

/** Asks for blocks, several together: of a piece that is there, mostly. */
export const request: PeerMove = (world, connection, choices) => {
  const { layout } = world.torrent;
  const have = [...world.model.have];
  const isLikely = have.length > 0 && choices.below(8) > 0;
  const piece = isLikely ? have[choices.below(have.length)]! : pieceOf(world, connection, choices);
  const isThere = piece < world.torrent.info.pieceCount;
  const blocks = isThere ? Math.max(1, layout.blockCount(piece)) : 1;
  const writer = new MessageWriter();
  for (let left = 1 + choices.below(4); left > 0; left -= 1) {
    const block = choices.below(blocks);
    const whole = isThere && layout.blockCount(piece) > 0 ? layout.blockBytes(piece, block) : 1;
    const kind = choices.below(ODD);
    if (kind === 0 && !world.isPolite) {
      connection.isRude = true;
      writer.request(piece, block * BLOCK_BYTES, choices.below(2) === 0 ? 0 : BLOCK_BYTES + 1);
    } else if (kind === 1) {
      writer.request(piece, choices.below(65_536) * 32, 1 + choices.below(BLOCK_BYTES));
    } else writer.request(piece, block * BLOCK_BYTES, whole);
  }
  world.deliver(connection, writer.take());
};

export const cancel: PeerMove = (world, connection, choices) => {
  const { queue } = connection;
  if (queue.length > 0 && choices.below(8) > 0) {
    const at = 3 * choices.below(queue.length / 3);
    const [piece, begin, length] = queue.slice(at, at + 3) as [number, number, number];
    world.say(connection, (writer) => writer.cancel(piece, begin, length));
  } else {
    const piece = choices.below(world.torrent.info.pieceCount);
    world.say(connection, (writer) => writer.cancel(piece, 0, BLOCK_BYTES));
  }
};

/** Answers requests of the core with blocks; the last one may arrive in two parts. */
export const giveBlocks: PeerMove = (world, connection, choices) => {
  const { layout } = world.torrent;
  for (let left = 1 + choices.below(6); left > 0; left -= 1) {
    const keys = [...connection.model.owedToUs.keys()];
    if (keys.length === 0) return;
    // In the order they were asked for, mostly.
    const key = keys[choices.below(4) === 0 ? choices.below(keys.length) : 0]!;
    const [piece, begin] = key.split(':').map(Number) as [number, number];
    const whole = layout.blockBytes(piece, begin / BLOCK_BYTES);
    const isCut = choices.oneIn(ODD);
    const isBad = choices.oneIn(24);
    const writer = new MessageWriter();
    writer.piece(piece, begin, DATA.subarray(0, isCut ? Math.max(1, whole - 1) : whole));
    world.flow(connection);
    if (connection.tail !== undefined || !world.connections.includes(connection)) return;
    connection.isBadNext = isBad;
    const bytes = writer.take();
    world.deliver(
      connection,
      bytes,
      choices.below(5) === 0 ? 1 + choices.below(bytes.length - 13) : 0,
    );
    if (!world.connections.includes(connection)) return;
    world.drain();
  }
};

/** A block that nobody asked for. */
export const giveUnasked: PeerMove = (world, connection, choices) => {
  const piece = choices.below(world.torrent.info.pieceCount + 2);
  const begin = choices.below(8) * (choices.oneIn(8) ? 1_000 : BLOCK_BYTES);
  const length = 1 + choices.below(BLOCK_BYTES);
  connection.isBadNext = true;
  world.say(connection, (writer) => writer.piece(piece, begin, DATA.subarray(0, length)));
};

/** Lets what is on its way arrive. */
export const arrive: PeerMove = (world, connection) => {
  world.flow(connection);
};

export const reject: PeerMove = (world, connection, choices) => {
  const { model } = connection;
  if (!model.who.isFast && !model.who.isV2) {
    if (world.isPolite) return;
    connection.isRude = true;
  }
  const keys = [...model.owedToUs.keys()];
  const isKnown = keys.length > 0 && choices.below(8) > 0;
  const key = isKnown
    ? keys[choices.below(keys.length)]!
    : `${choices.below(4)}:${choices.below(9) * 8_192}`;
  const [piece, begin] = key.split(':').map(Number) as [number, number];
  world.say(connection, (writer) => writer.reject(piece, begin, BLOCK_BYTES));
};

export const allowFast: PeerMove = (world, connection, choices) => {
  if (!connection.model.who.isFast) {
    if (world.isPolite) return;
    connection.isRude = true;
  }
  const piece = pieceOf(world, connection, choices);
  world.say(connection, (writer) => writer.allowedFast(piece));
};

export const shakeExtensions: PeerMove = (world, connection, choices) => {
  if (!connection.model.who.hasExtension) {
    if (world.isPolite) return;
    connection.isRude = true;
  }
  const { infoBytes } = world.torrent.info;
  const reqqs = [undefined, 1, 2, 5, 20, 250, 2_000];
  const ids = [undefined, 0, 1, 3, 3, 77];
  const sizes = [undefined, infoBytes.length, infoBytes.length, infoBytes.length, 100, 40_000];
  const reqq = choices.of(reqqs);
  const id = choices.of(ids);
  const metadataBytes = choices.of(sizes);
  const isUploadOnly = choices.below(4) === 0;
  const extensions = new Map(id === undefined ? [] : [[METADATA_EXTENSION, id]]);
  if (choices.below(2) === 0) extensions.set(DONT_HAVE_EXTENSION, 4);
  if (choices.below(2) === 0) extensions.set(PEX_EXTENSION, 5);
  const payload = encodeExtendedHandshake({
    extensions,
    uploadOnly: isUploadOnly,
    ...(reqq === undefined ? {} : { reqq }),
    ...(metadataBytes === undefined ? {} : { metadataBytes }),
  });
  world.say(connection, (writer) => writer.extended(0, payload));
};

/** Metadata, asked for and given. */
export const exchangeMetadata: PeerMove = (world, connection, choices) => {
  const { model } = connection;
  const { infoBytes } = world.torrent.info;
  const ourId = model.ourExtensions.idOf(METADATA_EXTENSION);
  if (!model.who.hasExtension || ourId === undefined) return;
  const asked = model.askedMetadata.shift();
  let payload: Uint8Array;
  if (asked === undefined || choices.oneIn(8)) payload = encodeMetadataRequest(choices.below(5));
  else if (choices.oneIn(6)) payload = encodeMetadataReject(asked);
  else if (asked * BLOCK_BYTES >= infoBytes.length || choices.oneIn(10)) {
    world.blame(connection);
    const lie = new Uint8Array(choices.below(2) === 0 ? infoBytes.length : 40_000);
    if (asked * BLOCK_BYTES >= lie.length) return;
    payload = encodeMetadataData(asked, lie);
  } else payload = encodeMetadataData(asked, infoBytes);
  world.say(connection, (writer) => writer.extended(ourId, payload));
};

/** Asks for hashes: of what there is, mostly. */
export const askHashes: PeerMove = (world, connection, choices) => {
  if (!connection.model.who.isV2) {
    if (world.isPolite) return;
    connection.isRude = true;
  }
  const roots = world.torrent.info.files.map(({ piecesRoot }) => piecesRoot);
  const root = roots[choices.below(roots.length)] ?? new Uint8Array(32).fill(9);
  const range = {
    root,
    baseLayer: choices.below(4),
    index: choices.below(4) * choices.below(4),
    length: 2 ** choices.below(5) - choices.below(2),
    proofLayers: choices.below(4),
  };
  world.say(connection, (writer) => writer.hashRequest(range));
};

/** Answers a hash request of the core; late answers are answers too. */
export const giveHashes: PeerMove = (world, connection, choices) => {
  const { model } = connection;
  const range = model.askedHashes.shift();
  if (range === undefined) return;
  const right = world.torrent.hashesFor(range);
  if (right === undefined || choices.oneIn(4)) {
    world.say(connection, (writer) => writer.hashReject(range));
    return;
  }
  const hashes = right.slice();
  if (choices.oneIn(8)) {
    hashes[choices.below(hashes.length)]! ^= 1;
    world.blame(connection);
  } else if (range.baseLayer > 0) unlock(world, range);
  world.say(connection, (writer) => writer.hashes({ ...range, hashes }));
};

/** The hashes of these pieces are known as soon as the core has read them. */
function unlock(world: World, range: HashRange): void {
  const pieces = world.torrent.piecesOfRoot(range.root)!;
  for (let i = 0; i < pieces.count; i += 1) {
    if (i >= range.index && i < range.index + range.length) {
      world.model.locked.delete(pieces.first + i);
    }
  }
}

export const giveUnaskedHashes: PeerMove = (world, connection, choices) => {
  if (world.isPolite) return;
  connection.isRude = true;
  // They may look like the answer to something.
  world.blame(connection);
  const root = world.torrent.info.files[0]?.piecesRoot ?? new Uint8Array(32);
  const range = { root, baseLayer: choices.below(2), index: 0, length: 2, proofLayers: 0 };
  world.say(connection, (writer) => writer.hashes({ ...range, hashes: new Uint8Array(64) }));
};

/** Messages that mean nothing here. */
export const prattle: PeerMove = (world, connection, choices) => {
  const kind = choices.below(4);
  if (kind === 0) world.say(connection, (writer) => writer.keepAlive());
  else if (kind === 1) world.say(connection, (writer) => writer.port(1 + choices.below(65_535)));
  else if (kind === 2 && connection.model.who.isFast) {
    const piece = pieceOf(world, connection, choices);
    world.say(connection, (writer) => writer.suggest(piece));
  } else world.deliver(connection, Uint8Array.of(0, 0, 0, 3, 99, 1, 2));
};

/** Any bytes as a message. */
export const garbage: PeerMove = (world, connection, choices) => {
  if (world.isPolite) return;
  connection.isRude = true;
  const length = choices.below(60);
  const bytes = new Uint8Array(4 + length);
  bytes[3] = length;
  for (let at = 4; at < bytes.length; at += 1) bytes[at] = choices.below(256);
  if (length > 0) bytes[4] = choices.below(26);
  // A block as garbage would come outside what the model counts as asked for; that is `giveUnasked`.
  if (bytes[4] === 7) bytes[4] = 6;
  world.deliver(connection, bytes);
};

export const leave: PeerMove = (world, connection) => {
  world.disconnect(connection);
};
