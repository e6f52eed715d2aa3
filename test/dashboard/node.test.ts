/** The dashboard of real nodes: a link is pasted, its download watched and played, and a file sent to another node by three words. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { Daemon } from '../../src/node/daemon/daemon.ts';
import { identityFile, openIdentity, showIdentity } from '../../src/node/identity-store.ts';
import { noBrowser, openBrowser, visit } from './browser.ts';

const SECONDS = 20;
const RATE = 8_000;

/** A sound that browsers can play: a tone of 16 bits. */
function wav(): Buffer {
  const samples = SECONDS * RATE;
  const file = Buffer.alloc(44 + samples * 2);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + samples * 2, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(RATE * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(samples * 2, 40);
  for (let at = 0; at < samples; at += 1) {
    file.writeInt16LE(Math.round(Math.sin(at / 6) * 8_000), 44 + at * 2);
  }
  return file;
}

describe('the dashboard of a node', { skip: noBrowser }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'starling-dashboard-'));
  let browser: Browser;
  let giver: Daemon;
  let taker: Daemon;
  const faults: string[] = [];

  const open = (name: string): Promise<Daemon> =>
    Daemon.open({
      home: join(dir, name),
      isOffline: true,
      settings: {
        'api.listen': '127.0.0.1:0',
        listen: '127.0.0.1:0',
        'discovery.dht': false,
        'download-dir': join(dir, `${name}-downloads`),
      },
    });

  before(async () => {
    [giver, taker] = await Promise.all([open('giver'), open('taker')]);
    browser = await openBrowser();
  });

  after(async () => {
    await browser.close();
    await Promise.all([giver.close(), taker.close()]);
    rmSync(dir, { recursive: true, force: true });
  });

  async function dashboardOf(daemon: Daemon): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
    // What a policy forbids is told by the console alone.
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(String(error)));
    const response = await page.goto(daemon.dashboardUrl);
    assert.doesNotMatch(response!.headers()['content-security-policy']!, /unsafe/);
    await page.waitForSelector('.rail');
    return page;
  }

  it('draws every page under its own policy, without a fault', async () => {
    const page = await dashboardOf(taker);
    for (const name of ['share', 'send', 'contacts', 'network', 'activity', 'settings', 'log']) {
      await visit(page, `#/${name}`, 'main h1');
    }
    await page.waitForSelector('.log-lines li');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('adds a pasted link, shows it complete, and plays it', async () => {
    mkdirSync(join(dir, 'album'));
    writeFileSync(join(dir, 'album', 'tone.wav'), wav());
    const shared = await giver.composition.torrents.additions.share({ path: join(dir, 'album') });
    const peer = giver.composition.node.endpoint;
    const link = shared.torrent!.magnet([peer]);
    const page = await dashboardOf(taker);
    await page.getByRole('button', { name: 'Add', exact: true }).first().click();
    await page.getByRole('textbox', { name: 'Link' }).fill(link);
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await page.waitForSelector('.row:has-text("album"):has-text("Seeding")');
    const got = readFileSync(join(dir, 'taker-downloads', 'album', 'tone.wav'));
    assert.deepEqual(got, wav());
    const { torrents } = taker.composition;
    const index = torrents.get(shared.id).torrent!.info!.files.findIndex(({ isPad }) => !isPad);
    await visit(page, `#/play/${shared.id}/${index}`, 'audio');
    await page.evaluate("document.querySelector('audio').muted = true");
    const played = `new Promise((resolve, reject) => {
      const audio = document.querySelector('audio');
      audio.onerror = () => reject(new Error('it cannot be played'));
      audio.ontimeupdate = () => audio.currentTime > ${SECONDS - 5} && resolve(audio.duration);
      audio.currentTime = ${SECONDS - 5};
      void audio.play();
    })`;
    assert.equal(await page.evaluate(played), SECONDS);
    await page.close();
  });

  it('saves a sealed copy of the identity', async () => {
    const page = await dashboardOf(taker);
    await visit(page, '#/contacts', 'main h1');
    await page.getByRole('button', { name: 'Save your identity' }).click();
    const save = page.getByRole('dialog').getByRole('button', { name: 'Save' });
    await page.getByLabel('Passphrase', { exact: true }).fill('three words long');
    assert.equal(await save.isEnabled(), false);
    await page.getByLabel('Passphrase again').fill('three words long');
    const download = page.waitForEvent('download');
    await save.click();
    const file = join(dir, 'identity.json');
    await (await download).saveAs(file);
    const { peerId } = showIdentity(identityFile(join(dir, 'taker')));
    assert.equal(openIdentity(file, 'three words long').peerId, peerId);
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('renames a file, changes trackers, and dials a peer that it is told of', async () => {
    const name = 'tone of another.wav';
    const file = join(dir, 'names', 'first.wav');
    mkdirSync(join(dir, 'names'));
    writeFileSync(file, wav());
    const { id, torrent } = await giver.composition.torrents.additions.share({
      path: join(dir, 'names'),
    });
    const link = torrent!.magnet().replace(/&x\.pe=[^&]*/g, '');
    await taker.composition.torrents.additions.add({ link });
    const page = await dashboardOf(taker);
    await visit(page, `#/transfers/${id}/peers`, '[aria-label="Address of a peer"]');
    const { host, port } = giver.composition.node.endpoint;
    await page.getByLabel('Address of a peer').fill(`${host}:${port}`);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.row:has-text("names"):has-text("Seeding")');
    await visit(page, `#/transfers/${id}/files`, '.file-line');
    await page.getByRole('button', { name: 'Rename first.wav' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.waitForSelector(`.file-line:has-text("${name}")`);
    assert.deepEqual(readFileSync(join(dir, 'taker-downloads', 'names', name)), wav());
    await visit(page, `#/transfers/${id}/trackers`, 'text=It has no trackers');
    await page.getByRole('button', { name: 'Change …' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('udp://127.0.0.1:9/announce');
    await page.getByRole('dialog').getByRole('button', { name: 'Change', exact: true }).click();
    await page.waitForSelector('.tab-panel .table:has-text("udp://127.0.0.1:9/announce")');
    assert.deepEqual(faults, []);
    await page.close();
  });

  it('sends a file to another node by three words', async () => {
    const file = join(dir, 'letter.txt');
    writeFileSync(file, 'Dear neighbour, …\n'.repeat(1_000));
    const from = await dashboardOf(giver);
    await visit(from, '#/send', 'text=File or folder');
    await from.getByRole('textbox', { name: 'File or folder' }).fill(file);
    await from.getByRole('button', { name: 'Send', exact: true }).click();
    await from.waitForSelector('.words .huge');
    const words = await from.locator('.words .huge').textContent();
    const to = await dashboardOf(taker);
    await visit(to, '#/send', '[aria-labelledby=receive-head]');
    await to.getByRole('textbox', { name: 'The three words' }).fill(words!);
    await to.getByRole('button', { name: 'Receive', exact: true }).click();
    await to.getByRole('button', { name: 'Accept' }).click({ timeout: 90_000 });
    await to.waitForSelector('text=/SHA-256/i', { timeout: 60_000 });
    const got = readFileSync(join(dir, 'taker-downloads', 'letter.txt'));
    assert.deepEqual(got, readFileSync(file));
    await Promise.all([from.close(), to.close()]);
  });
});
