/**
 * Control connections: any bytes as what the other end sends, before and after it greeted, cut anyhow; and frames of every kind, in any order.
 * Half of all inputs come behind a greeting. The same bytes in one piece must come to the same.
 * @module
 */
import { deepStrictEqual } from 'node:assert';
import { concatBytes, equalBytes, fromLatin1 } from '../../src/lib/bytes.ts';
import { crc32c } from '../../src/lib/crc32c.ts';
import { Rng } from '../../src/lib/rng.ts';
import { encodeUtf8 } from '../../src/lib/utf8.ts';
import {
  type ControlOutput,
  ControlSession,
  decodeFrame,
  type Envelope,
  encodeFrame,
  type Frame,
  type Hello,
} from '../../src/protocol/channel/index.ts';

const OWN: Hello = { instance: new Uint8Array(8).fill(1), addresses: [] };
const THEIRS: Hello = {
  instance: new Uint8Array(8).fill(2),
  addresses: [
    { host: '192.0.2.7', port: 6_881 },
    { host: '2001:db8::7', port: 1 },
  ],
  observed: { host: '198.51.100.9', port: 65_535 },
};
const GREETING = encodeFrame({ kind: 'hello', hello: THEIRS });
/** Two queues, and what one call may add beside them. */
const MOST_QUEUED_BYTES = 1024 * 1024 + 512 * 1024;
const MOST_ANSWERS = 64;
const MOST_SERVICE_CHARACTERS = 32;
const MOST_ADDRESSES = 16;
const MOST_TEXT_BYTES = 512;
const OWN_REQUESTS = 3;

interface Life {
  readonly outputs: readonly ControlOutput[];
  readonly sentBytes: number;
}

/** @param cuts where the bytes are cut; undefined: nowhere. */
function live(bytes: Uint8Array, isGreeted: boolean, cuts: Rng | undefined): Life {
  const session = new ControlSession(0, { hello: OWN, rng: new Rng(3) });
  const outputs: ControlOutput[] = [];
  let sentBytes = 0;
  const drain = (): void => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      check(output, outputs);
      outputs.push(output);
    }
    const { pendingCount, queuedBytes, roundTripMs } = session;
    if (pendingCount > MOST_ANSWERS + OWN_REQUESTS) throw new Error(`${pendingCount} wait`);
    if (queuedBytes > MOST_QUEUED_BYTES) throw new Error(`${queuedBytes} bytes are queued`);
    if (roundTripMs !== undefined && !(roundTripMs >= 0 && roundTripMs < 1_000)) {
      throw new Error(`expected a round trip that was measured, got ${roundTripMs}`);
    }
  };
  if (isGreeted) {
    session.handleBytes(0, GREETING);
    for (let i = 0; i < OWN_REQUESTS; i += 1) {
      session.request(0, { service: 'echo', version: 1 }, new Uint8Array(i));
    }
    session.ping(0);
  }
  for (let at = 0; at < bytes.length; ) {
    const end = cuts === undefined ? bytes.length : Math.min(bytes.length, at + cutOf(cuts));
    // A copy that is written over, as the buffer of a socket is.
    const read = bytes.slice(at, end);
    session.handleBytes(5, read);
    read.fill(0xee);
    drain();
    at = end;
  }
  for (let frame = session.nextBytes(); frame !== undefined; frame = session.nextBytes()) {
    const sent = decodeFrame(frame.subarray(4));
    if (!sent.ok) throw new Error(`expected to send frames, got ${sent.message}`);
    sentBytes += frame.length;
  }
  session.handleTimeout(1_000_000);
  drain();
  if (outputs.at(-1)?.type !== 'close' || session.nextTimeoutMs !== Number.POSITIVE_INFINITY) {
    throw new Error('expected an end after silence');
  }
  return { outputs, sentBytes };
}

function cutOf(rng: Rng): number {
  return rng.below(4) === 0 ? 1 + rng.below(4) : 1 + rng.below(400);
}

function check(output: ControlOutput, before: readonly ControlOutput[]): void {
  if (before.at(-1)?.type === 'close') throw new Error(`${output.type} after the end`);
  const isOpen = before.some(({ type }) => type === 'hello');
  switch (output.type) {
    case 'hello':
      if (isOpen) throw new Error('expected one greeting');
      if (output.hello.addresses.length > MOST_ADDRESSES) throw new Error('too many addresses');
      return;
    case 'message':
    case 'request': {
      const { service } = output.envelope;
      if (!/^[a-z0-9-]+$/.test(service) || service.length > MOST_SERVICE_CHARACTERS) {
        throw new Error(`expected a name, got ${service}`);
      }
      break;
    }
    case 'refused':
    case 'close': {
      const text = output.type === 'close' ? output.reason : output.message;
      if (/\p{Cc}/u.test(text)) throw new Error('expected a text that moves no cursor');
      if (output.type === 'close') return;
      break;
    }
    default:
      break;
  }
  if (!isOpen && output.type !== 'timeout') throw new Error(`${output.type} before a greeting`);
}

function fuzz(bytes: Uint8Array): void {
  if (bytes.length > 0) again(bytes);
  const sum = crc32c(bytes);
  const isGreeted = (sum & 1) === 0;
  const cut = live(bytes, isGreeted, new Rng(sum));
  const whole = live(bytes, isGreeted, undefined);
  deepStrictEqual(cut.outputs, whole.outputs);
  if (cut.sentBytes !== whole.sentBytes) throw new Error('expected the same to be sent');
}

/** A frame that is read is written, and read as the same. */
function again(bytes: Uint8Array): void {
  const frame = decodeFrame(bytes);
  if (!frame.ok) return;
  // A text that grew by signs for what is no UTF-8 is cut when it is written.
  if ('message' in frame.value && encodeUtf8(frame.value.message).length > MOST_TEXT_BYTES) return;
  const written = encodeFrame(frame.value);
  const read = decodeFrame(written.subarray(4));
  if (!read.ok) throw new Error(`expected what was written to be read: ${read.message}`);
  deepStrictEqual(read.value, frame.value);
  if (!equalBytes(encodeFrame(read.value), written)) throw new Error('expected one form');
}

const SERVICES = ['echo', 'relay', 'pair', 'send', 'a', 'x'.repeat(32)];

function envelope(rng: Rng): Envelope {
  const service = SERVICES[rng.below(SERVICES.length)]!;
  const version = rng.below(256);
  return rng.below(4) === 0 ? { service, version, community: rng.bytes(32) } : { service, version };
}

function frameOf(rng: Rng): Frame {
  // Few numbers, so that they are met again.
  const id = rng.below(8) === 0 ? rng.u32() : rng.below(6);
  const payload = rng.bytes(rng.below(rng.below(16) === 0 ? 2_000 : 40));
  switch (rng.below(8)) {
    case 0:
      return { kind: 'hello', hello: THEIRS };
    case 1:
      return { kind: 'message', envelope: envelope(rng), payload };
    case 2:
    case 3:
      return { kind: 'request', id, timeoutMs: rng.u32(), envelope: envelope(rng), payload };
    case 4:
      return { kind: 'response', id, payload };
    case 5:
      return { kind: 'refusal', id, code: rng.below(7), message: 'no\u001b[2J\u202e' };
    case 6:
      return rng.below(2) === 0
        ? { kind: 'ping', nonce: rng.bytes(8) }
        : { kind: 'pong', nonce: rng.bytes(8) };
    default:
      return rng.below(8) === 0
        ? { kind: 'bye', message: 'gone' }
        : { kind: 'pong', nonce: rng.bytes(8) };
  }
}

/** A stream of frames; some are cut short, so that lengths lie. */
function generate(rng: Rng): Uint8Array {
  const frames = Array.from({ length: 1 + rng.below(12) }, () => {
    const bytes = encodeFrame(frameOf(rng));
    return rng.below(24) === 0 ? bytes.subarray(0, bytes.length - 1) : bytes;
  });
  // Crowds of requests, beyond what may wait.
  if (rng.below(16) === 0) {
    for (let i = 0; i < 80; i += 1) {
      frames.push(
        encodeFrame({
          kind: 'request',
          id: 100 + i,
          timeoutMs: 1,
          envelope: { service: 'echo', version: 1 },
          payload: new Uint8Array(0),
        }),
      );
    }
  }
  return concatBytes(...(rng.below(3) === 0 ? [GREETING, ...frames] : frames));
}

/** The target. */
export const target: {
  name: string;
  seeds: Uint8Array[];
  run(bytes: Uint8Array): void;
  generate(rng: Rng): Uint8Array;
} = {
  name: 'control',
  seeds: [
    GREETING,
    // A frame behind its length, as the decoder gets it.
    GREETING.subarray(4),
    encodeFrame({ kind: 'ping', nonce: new Uint8Array(8) }),
    encodeFrame({ kind: 'refusal', id: 1, code: 3, message: 'busy' }),
    encodeFrame({ kind: 'bye', message: 'gone' }).subarray(4),
    concatBytes(Uint8Array.of(0, 0, 0, 41, 1), fromLatin1('d1:ale1:i8:123456781:vi2ee')),
    Uint8Array.of(0, 1, 0, 0, 1),
    Uint8Array.of(0, 0, 0, 0),
  ],
  run: fuzz,
  generate,
};
