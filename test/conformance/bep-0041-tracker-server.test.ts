/** BEP 41, options of UDP announces: one test per sentence that binds the tracker's side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, fromLatin1, readU32 } from '../../src/lib/bytes.ts';
import { encodeUdpAnnounce } from '../../src/protocol/tracker/index.ts';
import { errorOf, HASH, PEER_ID, TestCore } from '../support/tracker-core.ts';

function urlData(text: string): Uint8Array {
  return concatBytes(Uint8Array.of(2, text.length), fromLatin1(text));
}

/** 1: served, 3: refused for its key. */
function actionOf(...options: readonly Uint8Array[]): number {
  const tracker = new TestCore({ keys: ['secret'] });
  const reply = tracker.announceUdp({ options: concatBytes(...options) });
  if (readU32(reply, 0) === 3) assert.match(errorOf(reply), /needs a valid key/);
  return readU32(reply, 0);
}

test('"URLData … contains the concatenated PATH and QUERY portion of the UDP tracker URL": the key in it counts', () => {
  assert.equal(actionOf(), 3);
  assert.equal(actionOf(urlData('/wrong/announce')), 3);
  assert.equal(actionOf(urlData('/secret')), 3);
  assert.equal(actionOf(urlData('/secret/announce')), 1);
  assert.equal(actionOf(urlData('/announce/secret')), 1);
  assert.equal(actionOf(urlData('/secret/announce?a=b')), 1);
});

test('"If this option appears more than once, the data fields are concatenated."', () => {
  assert.equal(actionOf(urlData('/sec'), urlData('ret/announce')), 1);
});

test('"EndOfOptions … option parsing should stop"', () => {
  assert.equal(actionOf(urlData('/secret/announce'), Uint8Array.of(0, 2, 255)), 1);
  assert.equal(actionOf(Uint8Array.of(0), urlData('/secret/announce')), 3);
});

test('"NOP … has no affect on option parsing"', () => {
  assert.equal(actionOf(Uint8Array.of(1, 1, 1), urlData('/secret/announce'), Uint8Array.of(1)), 1);
});

test('"an extension parser … can safely skip over any unknown option-types"; "prepared for the length field to be zero"', () => {
  const unknown = Uint8Array.of(77, 3, 2, 0, 1);
  assert.equal(
    actionOf(unknown, Uint8Array.of(200, 0), urlData(''), urlData('/secret/announce')),
    1,
  );
});

test('an option that is cut off is none', () => {
  assert.equal(actionOf(urlData('/secret/announce').subarray(0, 10)), 3);
  assert.equal(actionOf(Uint8Array.of(2)), 3);
});

test('what our own client sends is understood, also when it is longer than one option', () => {
  const tracker = new TestCore({ keys: ['secret'] });
  const announce = (data: string): number =>
    readU32(
      tracker.send(
        encodeUdpAnnounce({
          connectionId: tracker.connect(),
          transactionId: 1,
          infoHash: HASH,
          peerId: PEER_ID,
          downloadedBytes: 0,
          leftBytes: 1,
          uploadedBytes: 0,
          event: 'started',
          key: 1,
          numWant: 50,
          port: 1,
          urlData: data,
        }),
      )!,
      0,
    );
  assert.equal(announce(`/secret/announce?${'x'.repeat(600)}`), 1);
  assert.equal(announce('/announce'), 3);
});
