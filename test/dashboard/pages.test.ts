/** Every page of the dashboard in a real browser: no error, nothing from outside, no violation of accessibility rules, nothing wider than a phone. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { FakeApi } from '../support/fake-api.ts';
import { noBrowser, openBrowser, openDashboard, violations, visit } from './browser.ts';

/** Address ("ID" stands for a torrent) and what is there once it is drawn. */
const PAGES: readonly (readonly [string, string])[] = [
  ['#/transfers', '.row'],
  ['#/transfers/ID/overview', '.facts'],
  ['#/transfers/ID/files', '.file-line'],
  ['#/transfers/ID/peers', '.tab-panel .table'],
  ['#/transfers/ID/trackers', '.tab-panel .table'],
  ['#/transfers/ID/pieces', '.piece-map'],
  ['#/transfers/ID/speed', '.plot canvas'],
  ['#/transfers/ID/sources', '.tab-panel .table'],
  ['#/play/ID/1', 'audio'],
  ['#/share', '.cards .card'],
  ['#/send', '.words .qr'],
  ['#/contacts', '.cards .card'],
  ['#/network', '.link'],
  ['#/activity', '.plot canvas'],
  ['#/settings', '.setting'],
  ['#/log', '.log-lines li'],
];
/** Controls and headings that begin or end outside the window, what scrolls sideways on purpose aside. */
function overhanging(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const scrolling = '.rail, .filters, .tab-list, .toolbar, .log-lines, .piece-map';
    return [
      ...document.querySelectorAll('main :is(button, a, input, select, textarea, h1, h2, td, dd)'),
    ]
      .filter((element) => element.closest(scrolling) === null)
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        return width > 1 && (left < 0 || right > innerWidth + 1);
      })
      .map((element) => element.outerHTML.slice(0, 120));
  });
}

const LOOKS = [
  { colorScheme: 'light', viewport: { width: 1360, height: 860 } },
  { colorScheme: 'dark', viewport: { width: 1360, height: 860 } },
  { colorScheme: 'light', viewport: { width: 360, height: 740 } },
  { colorScheme: 'dark', viewport: { width: 360, height: 740 } },
] as const;

describe('pages of the dashboard', { skip: noBrowser }, () => {
  let api: FakeApi;
  let browser: Browser;

  before(async () => {
    api = await FakeApi.start({ torrents: 60, patchMs: 0 });
    browser = await openBrowser();
  });

  after(async () => {
    await browser.close();
    await api.close();
  });

  for (const look of LOOKS) {
    const { colorScheme, viewport } = look;
    it(`are accessible, in bounds and without errors: ${colorScheme}, ${viewport.width} px wide`, async () => {
      const { page, faults } = await openDashboard(browser, api, look);
      const { id } = api.state.torrents[0]!;
      for (const [hash, selector] of PAGES) {
        const where = hash.replace('ID', id);
        await visit(page, where, selector);
        assert.deepEqual(await violations(page), [], `${hash} has violations`);
        assert.deepEqual(await overhanging(page), [], `${hash} is wider than the window`);
        assert.deepEqual(faults.splice(0), [], `${hash} has faults`);
      }
      await page.context().close();
    });
  }

  it('teach when there is nothing yet', async () => {
    const empty = await FakeApi.start({ torrents: 0, patchMs: 0 });
    try {
      const { page, faults } = await openDashboard(browser, empty);
      await page.waitForSelector('text=Nothing is transferred yet');
      assert.deepEqual(await violations(page), []);
      await visit(page, '#/send', 'text=From one person to another');
      assert.deepEqual(faults, []);
      await page.context().close();
    } finally {
      await empty.close();
    }
  });

  it('are accessible in dialogs, too', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    await page.keyboard.press('n');
    await page.getByLabel('Link', { exact: true }).fill('magnet:?xt=urn:btih:00');
    await page.waitForSelector('.file-choice');
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    await page.locator('.row [data-check]').first().click();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.waitForSelector('dialog[open]');
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    const { id } = api.state.torrents[0]!;
    for (const [tab, selector, button] of [
      ['files', '.file-line', /^Rename /],
      ['trackers', '.tab-panel .table', 'Change …'],
      ['overview', '.facts', 'Columns'],
    ] as const) {
      await visit(page, `#/transfers/${id}/${tab}`, selector);
      await page.getByRole('button', { name: button }).first().click();
      await page.waitForSelector('dialog[open]');
      assert.deepEqual(await violations(page), [], tab);
      await page.keyboard.press('Escape');
      await page.waitForSelector('dialog[open]', { state: 'detached' });
    }
    await page.context().close();
  });
});
