// One engine in one page of one browser with a fresh profile.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { Failure } from '../../scripts/lib/run.mjs';
import { quietCanary } from './machine.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--mute-audio',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];
const LONGEST_START_MS = 120_000;
const LEAST_WARM_UP_RUNS = 3;
const WARM_UP_MS = 2000;

/**
 * Opens a page that loads `engine` and waits for its first label. Resolves to an EnginePage whose `start`
 * is what page.mjs reports, with the files that were fetched and the canary just before.
 */
export async function openEngine({ executablePath, server, engine, model, threads }) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'vitrine-bench-'));
  const context = await chromium.launchPersistentContext(profile, { executablePath, args: FLAGS });
  const close = async () => {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true });
  };
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    const { reported } = await listen(page);
    const canaryMs = await quietCanary(threads); // also lets the browser's own start come to an end
    server.takeSent();
    await page.goto(addressOf(server, { engine, model, threads }), { waitUntil: 'commit' });
    const start = await reported;
    if (start.error) throw new Error(start.error);
    if (!start.crossOriginIsolated) throw new Error('the page is not cross-origin isolated');
    const files = server.takeSent();
    return new EnginePage(page, close, { engine, start: { ...start, canaryMs, files } });
  } catch (error) {
    await close();
    throw new Failure(`${engine}, ${model}, ${threads} threads: ${error.message}`);
  }
}

function addressOf(server, query) {
  const address = new URL('/bench/', server.origin);
  for (const [key, value] of Object.entries(query)) address.searchParams.set(key, value);
  return address.href;
}

class EnginePage {
  #page;

  constructor(page, close, description) {
    this.#page = page;
    this.close = close;
    Object.assign(this, description);
  }

  /** Milliseconds of each of `count` runs. */
  timeRuns(count) {
    return this.#page.evaluate((n) => globalThis.timeRuns(n), count);
  }

  /** Runs until the optimising compiler has done its work; resolves to the fastest run's milliseconds. */
  async warmUp() {
    const begin = performance.now();
    let fastest = Infinity;
    for (let runs = 0; runs < LEAST_WARM_UP_RUNS || performance.now() - begin < WARM_UP_MS; runs++) {
      fastest = Math.min(fastest, ...(await this.timeRuns(1)));
    }
    return fastest;
  }
}

/** Resolves, once the page can call report(), to { reported }: a promise of what page.mjs passes to it. */
async function listen(page) {
  let settle;
  const reported = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  reported.catch(() => {}); // awaited later
  page.on('pageerror', settle.reject);
  page.on('crash', () => settle.reject(new Error('the page crashed')));
  const timer = setTimeout(() => settle.reject(new Error('no label in time')), LONGEST_START_MS);
  await page.exposeFunction('report', (report) => {
    clearTimeout(timer);
    settle.resolve(report);
  });
  return { reported };
}
