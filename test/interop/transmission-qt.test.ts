/**
 * A desktop remote, Transmission's Qt program, on a node: it signs in by name and token, adds a torrent and follows the list.
 * @module
 */
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { it } from 'node:test';
import { needing, poll, TestBed } from '../support/cli-child.ts';
import { openTestNode } from '../support/daemon.ts';

const QT = 'transmission-qt';
const SOUGHT = 'cd'.repeat(20);

it(
  'transmission-qt adds a torrent to the node and goes on asking for what it shows',
  needing(QT),
  async () => {
    await using bed = new TestBed();
    const node = await openTestNode(bed);
    const folder = bed.dir('remote');
    const { hostname, port } = new URL(node.url);
    const settings = {
      'remote-session-enabled': true,
      'remote-session-host': hostname,
      'remote-session-port': Number(port),
      // Spelt like this by the program.
      'remote-session-requres-authentication': true,
      'remote-session-username': 'starling',
      'remote-session-password': node.daemon.token,
      'user-has-given-informed-consent': true,
      'show-options-window': false,
    };
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settings));
    const statuses: number[] = [];
    const note = (message: unknown): void => {
      const { request, response } = message as {
        request: IncomingMessage;
        response: ServerResponse;
      };
      if (request.url?.startsWith('/transmission/rpc')) statuses.push(response.statusCode);
    };
    diagnostics.subscribe('http.server.response.finish', note);
    bed.onEnd(() => diagnostics.unsubscribe('http.server.response.finish', note));
    const link = `magnet:?xt=urn:btih:${SOUGHT}&dn=from%20the%20desktop`;
    bed.start(QT, ['-g', folder, link], {
      env: { QT_QPA_PLATFORM: 'offscreen', XDG_RUNTIME_DIR: folder },
    });
    await poll('the torrent of the remote', async () => {
      const { body } = await node.ask('GET', '/torrents');
      return body.torrents.some(({ id }: { id: string }) => id === SOUGHT) || undefined;
    });
    const soFar = statuses.length;
    // It asks every few seconds.
    await poll('what it asks for next', () => statuses.length >= soFar + 3 || undefined);
    assert(statuses.includes(401) && statuses.includes(409), `first it is refused: ${statuses}`);
    assert.deepEqual(new Set(statuses.slice(soFar)), new Set([200]));
  },
);
