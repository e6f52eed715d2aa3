/** Debian's Chromium for the dashboard's tests, with what each of them wants to know of a page. */
import { existsSync } from 'node:fs';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { FakeApi } from '../support/fake-api.ts';

const EXECUTABLE = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why the tests cannot run here; false: they can. */
export const noBrowser: string | false = existsSync(EXECUTABLE)
  ? false
  : `no browser at ${EXECUTABLE}: install Debian's package chromium, or name another one in CHROMIUM`;

export function openBrowser(): Promise<Browser> {
  // As root, as in a container, Chromium refuses to start its sandbox.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ executablePath: EXECUTABLE, args });
}

/** A page with the dashboard, signed in by the address that a start prints. */
export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, requests that left the node. */
  readonly faults: string[];
}

export async function openDashboard(
  browser: Browser,
  api: FakeApi,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: 1360, height: 860 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(api.origin) && !/^(data|blob):/.test(url)) faults.push(`outside: ${url}`);
  });
  await page.goto(api.url);
  await page.waitForSelector('.rail');
  return { page, faults };
}

/** Opens a page of the dashboard by its address, and waits until it is drawn. */
export async function visit(page: Page, hash: string, selector: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await page.waitForSelector(selector);
}

interface AxeResult {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Violations of accessibility rules, a line each. */
export async function violations(page: Page): Promise<string[]> {
  // By the debugger, not by a script of the page: its policy would refuse that.
  await page.evaluate(axe.source);
  const found = (await page.evaluate(
    'axe.run({ resultTypes: ["violations"] }).then((result) => result.violations)',
  )) as AxeResult[];
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} — ${failureSummary}`),
  );
}
