import { execFileSync } from 'node:child_process';
import { type Browser, chromium, type Page } from 'playwright-core';

import type { Site } from './site.js';

declare global {
  /** What /page.js gives every test page. */
  var vitrine: typeof import('../../../../web/src/index.js');
  var failure: (promise: Promise<unknown>) => Promise<Failure>;
}

export interface Failure {
  name: string;
  status?: string;
  message: string;
}

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch(...args: string[]): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(), args: [...ARGS, ...args] });
}

/** A fresh page of the site, with a storage of its own. */
export async function open(browser: Browser, site: Site, origin = site.url): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/page.html`);
  await page.waitForFunction(() => 'vitrine' in globalThis);
  return page;
}

/** Waits until all of the page's workers have ended, which takes a moment after they are told to. */
export async function noWorkers(page: Page): Promise<void> {
  for (let wait = 0; page.workers().length > 0 && wait < 10_000; wait += 50) await page.waitForTimeout(50);
  if (page.workers().length > 0) throw new Error(`${page.workers().length} workers are still there`);
}

function findChromium(): string {
  const chosen = process.env['CHROME_PATH'] ?? process.env['CHROMIUM'];
  if (chosen) return chosen;
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      // the next one
    }
  }
  throw new Error('no Chromium on PATH; install one or name one in CHROME_PATH');
}
