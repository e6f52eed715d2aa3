/**
 * Takes the pictures of the dashboard for docs/images: `node tools/build-web.mjs && STARLING_OFFLINE=1 node tools/screenshots.ts [FOLDER] [URL]`, from nodes that it
 * runs for it on loopback (dashboard-scene.ts), or from the one at the address that its start printed.
 * @module
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { TestBed } from '../test/support/cli-child.ts';
import { openScene } from './dashboard-scene.ts';

const WIDE = { width: 1360, height: 860 };
const PHONE = { width: 390, height: 844 };
/** File, address, colours, window. */
const PICTURES = [
  ['transfers', '#/transfers', 'light', WIDE],
  ['transfers-dark', '#/transfers', 'dark', WIDE],
  ['transfers-phone', '#/transfers', 'light', PHONE],
  ['send', '#/send', 'light', WIDE],
  ['contacts', '#/contacts', 'light', WIDE],
  ['network', '#/network', 'dark', WIDE],
  ['activity', '#/activity', 'dark', WIDE],
  ['settings', '#/settings', 'light', WIDE],
] as const;
/** So that snapshots have come and plots are drawn, in milliseconds. */
const SETTLE_MS = 3_000;

const [folder = join(import.meta.dirname, '../docs/images'), given] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
await using bed = new TestBed();
const url = given ?? (await openScene(bed));
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
bed.onEnd(() => browser.close());
for (const [name, hash, colorScheme, viewport] of PICTURES) {
  const page = await browser.newPage({ viewport, colorScheme });
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(`${name}: ${message.text()}`);
  });
  page.on('pageerror', (error) => console.error(`${name}: ${error.message}`));
  await page.goto(url);
  await page.waitForSelector('.rail');
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await page.waitForTimeout(SETTLE_MS);
  // The first torrent, open, where the list is shown wide.
  if (hash === '#/transfers' && colorScheme === 'dark') {
    const row = page.locator('.row').first();
    if ((await row.count()) > 0) await row.click();
    await page.waitForTimeout(SETTLE_MS);
  }
  await page.screenshot({ path: join(folder, `${name}.png`) });
  await page.close();
}
