/**
 * Files from one person to another: what is sent, and both ends of it. `PeerNode.sendTransfer` and `receiveTransfer` begin.
 * @module
 */
export type {
  IncomingTransfer,
  OutgoingTransfer,
  Received,
  ReceiveOptions,
  SendOptions,
  TransferStatus,
} from '../transfer.ts';
export { type TransferSource, type WalkOptions, walkSource } from '../transfer-source.ts';
