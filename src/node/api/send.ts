/**
 * The part of the API that sends to a person and receives: apart, so that nothing else is loaded for it.
 * @module
 */

export { codeLink, parseCode } from '../../protocol/send/index.ts';
export type { Channel, PeerPath } from '../channel/types.ts';
export { openPersonalChannels } from '../send/personal-channels.ts';
export { type ReceiveOutcome, Receiver, type ShownOffer } from '../send/receiver.ts';
export { Sender, type SendOutcome } from '../send/sender.ts';
export { spoolStream, textSource } from '../send/sources.ts';
export type { TransferStatus } from '../transfer.ts';
export { type TransferSource, walkSource } from '../transfer-source.ts';
