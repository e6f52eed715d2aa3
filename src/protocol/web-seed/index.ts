/**
 * Web seeds (BEP 19) without I/O: URLs of files, requests for blocks as ranges, what answers mean, when to ask again; and what to answer as one.
 * To the swarm core a web seed is a peer that has everything and never chokes; see `src/node/web-seed-connection.ts`.
 * @module
 */
export {
  type Answer,
  type AnswerHeaders,
  type AskedRange,
  judgeAnswer,
  rangeHeader,
} from './answer.ts';
export { BackOff, type WebSeedFailure } from './back-off.ts';
export { MAX_OWED_BLOCKS, MAX_RANGE_BYTES } from './constants.ts';
export { type BlockPart, type FileRange, type OwedBlock, RangeQueue } from './range-queue.ts';
export {
  answerFile,
  entityTag,
  type FileAnswer,
  type FileRequest,
  requestedPath,
  type ServedFile,
  servedPaths,
} from './serve.ts';
export { shownWebSeed, webSeedUrl } from './web-seed-url.ts';
