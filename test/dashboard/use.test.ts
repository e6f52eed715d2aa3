/** What people do with the dashboard, by keyboard and by mouse: signing in, adding, choosing, sending; and what strangers try with names. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { FakeApi } from '../support/fake-api.ts';
import { waveFile } from '../support/wave.ts';
import { noBrowser, openBrowser, openDashboard, violations, visit } from './browser.ts';

/** Half a minute of silence, as a WAV file. */
function silence(): Buffer {
  const [rate, seconds] = [8_000, 30];
  return waveFile({ rateHz: rate, channels: 1, bits: 8 }, Buffer.alloc(rate * seconds, 128));
}

describe('use of the dashboard', { skip: noBrowser }, () => {
  let api: FakeApi;
  let browser: Browser;

  before(async () => {
    api = await FakeApi.start({ torrents: 500, patchMs: 500 });
    browser = await openBrowser();
  });

  after(async () => {
    await browser.close();
    await api.close();
  });

  it('takes the token out of the address, and asks for it when there is no session', async () => {
    const { page } = await openDashboard(browser, api);
    assert.doesNotMatch(page.url(), /token/);
    await page.goto('about:blank');
    await page.goto(api.origin);
    await page.waitForSelector('.rail');
    await page.context().clearCookies();
    await page.reload();
    await page.getByLabel('Token or password').fill('x'.repeat(43));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForSelector('text=This is not the token of this node');
    await page.getByLabel('Token or password').fill(api.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForSelector('.row');
    await page.context().close();
  });

  it('is walked by keyboard: move, select, details, tabs, back, remove', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    await page.locator('#torrents').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const active = await page.locator('#torrents').getAttribute('aria-activedescendant');
    assert.equal(active, `torrent-${api.state.torrents[2]!.id}`);
    await page.keyboard.press('Space');
    assert.equal(await page.locator('.row[aria-selected="true"]').count(), 1);
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    assert.equal(await page.locator('.row[aria-selected="true"]').count(), 3);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.row[aria-selected="true"]').count(), 0);
    await page.keyboard.press('End');
    await page.waitForSelector('.row.is-active[aria-posinset="500"]');
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'Overview' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForSelector('[role=tab][aria-selected=true]:has-text("Files")');
    await page.keyboard.press('Escape');
    await page.waitForSelector('.details', { state: 'detached' });
    await page.keyboard.press('Delete');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    assert.equal(await page.evaluate('document.activeElement.id'), 'torrents');
    await page.keyboard.press('/');
    await page.keyboard.type('librivox');
    await page.waitForSelector('.row[aria-setsize="41"]');
    await page.context().close();
  });

  it('adds the link that is pasted anywhere, without the files that are not wanted', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    await page.evaluate(`(() => {
      const data = new DataTransfer();
      data.setData('text/plain', 'magnet:?xt=urn:btih:0123456789012345678901234567890123456789');
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
    })()`);
    await page.locator('.file-choice input').nth(1).uncheck();
    await page.locator('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await page.waitForSelector('.row:has-text("Spring lectures")');
    const [added, chosen] = api.requests.filter(
      ({ method, path }) => method !== 'GET' && /^\/torrents(\/[0-9a-f]{40})?$/.test(path),
    );
    assert.equal(
      added!.body['link'],
      'magnet:?xt=urn:btih:0123456789012345678901234567890123456789',
    );
    assert.deepEqual(chosen!.body, { files: [{ index: 1, priority: 0 }], isPaused: false });
    await page.context().close();
  });

  it('adds several links at once, and keeps those that the node refuses', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    const before = api.requests.length;
    const links = ['1', '2'].map((digit) => `magnet:?xt=urn:btih:${digit.repeat(40)}`);
    await page.evaluate(`(() => {
      const data = new DataTransfer();
      data.setData('text/plain', ${JSON.stringify(`${links.join('\n')}\nmagnet:?nothing`)});
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
    })()`);
    await page.getByRole('button', { name: 'Add 3', exact: true }).click();
    await page.waitForSelector('[role=alert]:has-text("magnet:?nothing: ")');
    await page.waitForSelector('text=Added: 2 torrents');
    assert.equal(await page.getByLabel('Link', { exact: true }).inputValue(), 'magnet:?nothing');
    const asked = api.requests.slice(before).filter(({ path }) => path === '/torrents');
    assert.deepEqual(
      asked.map(({ body }) => body['link']),
      [...links, 'magnet:?nothing'],
    );
    await page.keyboard.press('Escape');
    await page.context().close();
  });

  it('shows on every page what the node warns of', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    api.push('node', { node: { warnings: ['/srv has less free than is to be kept'] } });
    await page.waitForSelector('[role=status]:has-text("/srv has less free")');
    await visit(page, '#/settings', '[role=status]:has-text("/srv has less free")');
    api.push('node', { node: { warnings: [] } });
    await page.waitForSelector('[role=status]:has-text("/srv has less free")', {
      state: 'detached',
    });
    await page.context().close();
  });

  it('says what is wrong with a link, in the words of the node', async () => {
    const { page } = await openDashboard(browser, api);
    await page.keyboard.press('n');
    await page.getByLabel('Link', { exact: true }).fill('hello');
    await page.waitForSelector('[role=alert]:has-text("Copy it again, whole")');
    await page.context().close();
  });

  it('shows what went wrong in a dialog inside of it, and no more once it is closed', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    await page.route('**/rename', (route) =>
      route.fulfill({
        status: 400,
        contentType: 'application/problem+json',
        body: JSON.stringify({ code: 'ERR_USAGE', detail: 'name: expected another one' }),
      }),
    );
    await page.locator('#torrents').focus();
    await page.keyboard.press('Shift+F10');
    await page.getByRole('menuitem', { name: 'Rename …' }).click();
    await page.getByLabel('Name', { exact: true }).fill('../evil');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open] [role=alert]:has-text("expected another one")');
    assert.equal(await page.locator('.notice').count(), 0);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    assert.equal(await page.locator('[role=alert]').count(), 0);
    await page.context().close();
  });

  it('gives fields that stand beside each other the height of a field, and a button that of a button', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    await page.keyboard.press('n');
    const heightOf = (selector: string): Promise<number> =>
      page.evaluate(
        `document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect().height`,
      );
    await page.waitForSelector('.pair select');
    const fieldPx = await heightOf('.pair input');
    assert.ok(Math.abs((await heightOf('.pair select')) - fieldPx) <= 2);
    await page.keyboard.press('Escape');
    await page.context().close();
    const empty = await FakeApi.start({ torrents: 0 });
    try {
      const opened = await openDashboard(browser, empty);
      await opened.page.waitForSelector('.empty .button');
      const buttonPx: number = await opened.page.evaluate(
        `document.querySelector('.empty .button').getBoundingClientRect().height`,
      );
      assert.ok(buttonPx <= 48, `${buttonPx} px`);
      await opened.page.context().close();
    } finally {
      await empty.close();
    }
  });

  it('shows a message with its lines and without a folder, and who may fetch what is shared with some', async () => {
    const { page } = await openDashboard(browser, api);
    await visit(page, '#/send', '#send-head');
    const given = { ...api.state.transfers[0]!, id: 'lines', name: 'message', words: null };
    const over = { direction: 'receive', state: 'complete', dir: '/srv/inbox', text: 'one\ntwo' };
    api.push('transfers', { lines: { ...given, ...over } });
    await page.waitForSelector('.message');
    assert.equal(await page.locator('.message').textContent(), 'one\ntwo');
    assert.equal(await page.locator('.card:has(.message):has-text("/srv/inbox")').count(), 0);
    await page.route('**/shares', (route) =>
      route.fulfill({
        status: 201,
        contentType: 'application/json',
        body: JSON.stringify({ ...api.state.torrents[0]!, magnet: 'magnet:?x', isSecure: true }),
      }),
    );
    await visit(page, '#/share', '.form');
    await page.getByLabel('File or folder', { exact: true }).fill('/srv/photos');
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    await page.waitForSelector('.shared >> text=Only the contacts');
    await page.context().close();
  });

  it('closes the details of what is removed, and says of what is not there that it is not', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    const { id } = api.state.torrents.at(-1)!;
    await visit(page, `#/transfers/${id}/overview`, '.details .facts');
    await page.locator('.details').getByRole('button', { name: 'Remove' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await page.waitForSelector('.details', { state: 'detached' });
    await visit(page, `#/transfers/${'0'.repeat(40)}/files`, '.details >> text=is not here');
    assert.equal(await page.locator('.details').getByRole('button').count(), 1);
    await page.context().close();
  });

  it('pauses and removes what is selected, and shows what the node then tells', async () => {
    const { page } = await openDashboard(browser, api);
    const row = page.locator('.row.seeding').first();
    await row.waitFor();
    const id = await row.getAttribute('data-id');
    await row.locator('[data-check]').click();
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.waitForSelector(`.row.paused[data-id="${id}"]`);
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('switch').check();
    await page.getByRole('button', { name: 'Remove and delete files' }).click();
    await page.waitForSelector(`[data-id="${id}"]`, { state: 'detached' });
    assert.deepEqual(api.requests.at(-1)!.body, { action: 'remove-with-files', ids: [id] });
    await page.context().close();
  });

  it('shows the columns that are chosen, also when it is opened again', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    const heads = () => page.locator('.heads button').allTextContents();
    const before = await heads();
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('switch', { name: 'Time left' }).check();
    await page.getByRole('switch', { name: 'Ratio' }).uncheck();
    await page.getByRole('button', { name: 'Done' }).click();
    const after = await heads();
    assert.deepEqual(
      after.filter((head) => !before.includes(head)),
      ['Time left'],
    );
    assert.ok(!after.includes('Ratio'));
    assert.equal(await page.locator('.row').first().locator('.c-eta').count(), 1);
    await page.reload();
    await page.waitForSelector('.row');
    assert.deepEqual(await heads(), after);
    await page.context().close();
  });

  it('opens a menu where the pointer or the keyboard is, for one torrent or all that are selected', async () => {
    const { page, faults } = await openDashboard(browser, api);
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const row = page.locator('.row').nth(3);
    await row.waitFor();
    const id = (await row.getAttribute('data-id'))!;
    await row.click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Copy magnet link' }).click();
    await page.waitForSelector('text=The link is copied');
    assert.match(await page.evaluate('navigator.clipboard.readText()'), /^magnet:\?xt=/);
    await row.click({ button: 'right' });
    await page.waitForSelector('[role=menu]');
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Escape');
    await page.waitForSelector('[role=menu]', { state: 'detached' });
    assert.equal(await page.evaluate('document.activeElement.id'), 'torrents');
    await page.keyboard.press('Shift+F10');
    await page.waitForSelector('[role=menuitem]:focus');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]:has-text("Remove")');
    await page.keyboard.press('Escape');
    await page.locator('.row [data-check]').nth(0).click();
    await page.locator('.row [data-check]').nth(3).click();
    const ids = await page
      .locator('.row[aria-selected=true]')
      .evaluateAll((rows) => rows.map((each) => each.getAttribute('data-id')));
    assert.ok(ids.includes(id));
    await row.click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Check the files again' }).click();
    await page.waitForSelector('[role=menu]', { state: 'detached' });
    const asked = api.requests.findLast(({ path }) => path === '/torrents/actions')!;
    assert.deepEqual(asked.body, { action: 'recheck', ids });
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  it('slows the node down and lets it go again, on a phone, too', async () => {
    const { page } = await openDashboard(browser, api, { viewport: { width: 360, height: 740 } });
    await page.waitForSelector('.glance .down:visible');
    const slow = page.getByRole('button', { name: 'Slow', exact: true });
    for (const isSlow of [true, false]) {
      await slow.click();
      await page.waitForSelector(`.slow[aria-pressed="${isSlow}"]`);
      const asked = api.requests.findLast(({ method }) => method === 'PATCH')!;
      assert.deepEqual(asked.body, { 'schedule.always': isSlow });
    }
    await page.context().close();
  });

  it('finds settings by area and by words, under their headings', async () => {
    const { page } = await openDashboard(browser, api);
    await visit(page, '#/settings', '.setting');
    await page.getByRole('button', { name: 'Queue', exact: true }).click();
    await page.waitForSelector('#area-queue:focus');
    await page.getByLabel('Search settings').fill('active downloads');
    await page.getByLabel('Active downloads').waitFor();
    assert.equal(await page.locator('.setting').count(), 1);
    await page.context().close();
  });

  it('shows three words of a send, and asks before it receives', async () => {
    const { page } = await openDashboard(browser, api);
    await visit(page, '#/send', '.question');
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.waitForSelector('.question', { state: 'detached' });
    await page.locator('label:has-text("Message")').first().click();
    await page.getByLabel('Message', { exact: true }).last().fill('Hello');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.waitForSelector('.huge:has-text("harbor violet comet")');
    await page.context().close();
  });

  it('comes back by itself when the stream breaks', async () => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    api.dropStreams();
    await page.waitForSelector('.lost');
    await page.waitForSelector('.lost', { state: 'detached' });
    await page.context().close();
  });

  it('draws 500 torrents that change twice a second', async (t) => {
    const { page } = await openDashboard(browser, api);
    await page.waitForSelector('.row');
    const marks = (await page.evaluate(
      'performance.getEntriesByName("first-contentful-paint").map((entry) => entry.startTime)',
    )) as number[];
    await page.evaluate(`(() => {
      window.longMs = [];
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.longMs.push(Math.round(entry.duration));
      }).observe({ type: 'longtask' });
    })()`);
    await page.evaluate(`new Promise((resolve) => {
      let changes = 0;
      new MutationObserver(() => {
        changes += 1;
        if (changes >= 8) resolve();
      }).observe(document.querySelector('#torrents'), { subtree: true, characterData: true, childList: true });
    })`);
    const longMs = await page.evaluate('window.longMs');
    t.diagnostic(
      `first paint ${Math.round(marks[0] ?? Number.NaN)} ms; tasks over 50 ms: ${JSON.stringify(longMs)}`,
    );
    const rows = await page.locator('.row').count();
    assert.ok(rows > 10 && rows < 60, `only what is in sight is drawn, got ${rows} rows`);
    await page.context().close();
  });

  it('plays a file, seeks in it, and gives its address to other players', async () => {
    const media = { bytes: silence(), type: 'audio/wav' };
    const player = await FakeApi.start({ torrents: 1, patchMs: 0, media });
    try {
      const { page, faults } = await openDashboard(browser, player);
      await visit(page, `#/play/${player.state.torrents[0]!.id}/1`, 'audio');
      const atSec = await page.evaluate(async () => {
        const audio = document.querySelector('audio')!;
        audio.muted = true;
        await audio.play();
        audio.currentTime = 20;
        await new Promise((resolve) => audio.addEventListener('seeked', resolve, { once: true }));
        return audio.currentTime;
      });
      assert.ok(atSec >= 20 && atSec < 30, `stands at ${atSec} s`);
      await page.waitForSelector('.buffered rect', { state: 'attached' });
      await page.getByRole('button', { name: 'Make the address' }).click();
      await page.waitForSelector('.link-box:has-text("ticket=")');
      assert.deepEqual(faults, []);
      await page.context().close();
    } finally {
      await player.close();
    }
  });

  it('runs nothing that a stranger put into a name, and shows turned text as it is', async () => {
    const hostile = await FakeApi.start({ torrents: 12, patchMs: 0, isHostile: true });
    try {
      const { page, faults } = await openDashboard(browser, hostile);
      const { id } = hostile.state.torrents[0]!;
      const places = [
        ['#/transfers', '.row'],
        [`#/transfers/${id}/overview`, '.facts'],
        [`#/transfers/${id}/files`, '.file-line'],
        [`#/transfers/${id}/peers`, '.table'],
        ['#/send', '.question'],
        ['#/contacts', '.cards .card'],
        ['#/share', '.cards .card'],
        ['#/network', '.link'],
        ['#/log', '.log-lines li'],
      ] as const;
      for (const [hash, selector] of places) {
        await visit(page, hash, selector);
        assert.equal(await page.evaluate('window.hacked'), undefined, hash);
        assert.equal(await page.locator('main img[src="x"], main script').count(), 0, hash);
      }
      await visit(page, '#/transfers', '.row');
      await page.waitForSelector('.row:has-text("⟨U+202E⟩")');
      assert.deepEqual(faults, []);
      await page.context().close();
    } finally {
      await hostile.close();
    }
  });
});
