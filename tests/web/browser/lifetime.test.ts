// What becomes of workers, memory and open calls.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';

import { launch, noWorkers, open } from './support/chromium.js';
import { type Site, skipShared, startSite } from './support/site.js';

const PHOTO = '/golden/image/photo.png';

let site: Site;
let browser: Browser;
let page: Page;

before(async () => {
  site = await startSite();
  browser = await launch('--js-flags=--expose-gc');
  page = await open(browser, site);
});
after(async () => {
  await browser?.close();
  await site?.close();
});

test('dispose rejects open calls and refuses later ones', async () => {
  const { open, later, twice } = await page.evaluate(async (photo) => {
    const classifier = await vitrine.Classifier.load('/golden/plain');
    const open = failure(classifier.classify(photo));
    classifier.dispose();
    classifier.dispose();
    const { threads } = classifier.info; // facts stay readable
    return { open: await open, later: await failure(classifier.features(photo)), twice: threads >= 1 };
  }, PHOTO);
  for (const found of [open, later]) {
    assert.equal(found.status, 'disposed');
    assert.match(found.message, /disposed of; load it again/);
  }
  assert.ok(twice);
});

test('using disposes', async () => {
  const found = await page.evaluate(async (photo) => {
    const classifier = await vitrine.Classifier.load('/golden/plain');
    classifier[Symbol.dispose]();
    return failure(classifier.classify(photo));
  }, PHOTO);
  assert.equal(found.status, 'disposed');
});

test('an aborted call rejects with its reason; the classifier goes on', async () => {
  site.handlers.set('/slow.png', () => {}); // never answers
  const { early, queued, fetching, rest } = await page.evaluate(async (photo) => {
    const classifier = await vitrine.Classifier.load('/golden/plain');
    const early = await failure(classifier.classify(photo, { signal: AbortSignal.abort() }));
    const controller = new AbortController();
    const { signal } = controller;
    const fetching = failure(classifier.classify('/slow.png', { signal }));
    const queued = failure(
      classifier.classify(
        Array.from({ length: 50 }, () => photo),
        { signal },
      ),
    );
    setTimeout(() => controller.abort(new Error('enough')), 20);
    const results = { early, queued: await queued, fetching: await fetching };
    const { labels } = await classifier.classify(photo);
    classifier.dispose();
    return { ...results, rest: labels.length };
  }, PHOTO);
  assert.equal(early.name, 'AbortError');
  assert.equal(queued.message, 'enough');
  assert.equal(fetching.message, 'enough');
  assert.equal(rest, 5);
});

/** Resident bytes of all of the browser's processes that render pages. */
async function rendererMemory(): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  let total = 0;
  for (const { id, type } of processInfo) {
    if (type !== 'renderer') continue;
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, 'utf8')) ?? [];
    total += Number(kilobytes) * 1024;
  }
  return total;
}

async function rounds(model: string, count: number): Promise<void> {
  await page.evaluate(
    async ([model, photo, count]) => {
      for (let i = 0; i < count; ++i) {
        const classifier = await vitrine.Classifier.load(model);
        await classifier.classify(photo);
        classifier.dispose();
      }
      (globalThis as { gc?: () => void }).gc?.();
    },
    [model, PHOTO, count] as const,
  );
  await noWorkers(page);
  await page.evaluate(() => (globalThis as { gc?: () => void }).gc?.());
}

const skipNoProc = process.platform === 'linux' ? false : 'reads /proc';

test('fifty rounds of load and dispose keep no worker and no memory', { skip: skipNoProc }, async () => {
  const model = skipShared ? '/golden/plain' : '/shared/models/vit_tiny_patch16_224';
  await rounds(model, 5); // caches, compiled code
  const before = await rendererMemory();
  await rounds(model, 50);
  const growth = (await rendererMemory()) - before;
  // The heap of one model is 30 MB; fifty kept would be 1.5 GB.
  assert.ok(growth < 150e6, `${growth} bytes more after 50 rounds`);
});
