/**
 * The part of the API that sends to a person and receives: apart, so that nothing else is loaded for it.
 * @module
 */

export { codeLink, parseCode } from '../../protocol/send/index.ts';
export { openPersonalChannels, type PersonalChannels } from '../channel/personal-channels.ts';
export type { RelayStatus } from '../channel/relay-server.ts';
export type { PeerPath } from '../channel/types.ts';
export { firstKeysOf } from '../send/code-search.ts';
export { waitForKnocks } from '../send/knocks.ts';
export { type ReceiveOutcome, Receiver, type ShownOffer } from '../send/receiver.ts';
export { Sender } from '../send/sender.ts';
export { spoolStream, textSource } from '../send/sources.ts';
export type { TransferStatus } from '../transfer.ts';
export { type TransferSource, walkSource } from '../transfer-source.ts';
