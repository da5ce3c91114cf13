// The same numbers in the browser as in PyTorch and natively.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';

import type { Simd } from '../../../web/src/index.js';
import { launch, open } from './support/chromium.js';
import { root, shared, type Site, skipShared, startSite } from './support/site.js';
import { base64, largestDifference, readTensor } from './support/tensors.js';

const MODEL = '/shared/models/vit_tiny_patch16_224';
const GOLDEN = path.join(shared, 'golden/vit_tiny_patch16_224');
const NATIVE = process.env['VITRINE_NATIVE'] ?? path.join(root, 'build/native/vitrine');

let site: Site;
let browser: Browser;
let page: Page;

before(async () => {
  site = await startSite();
  browser = await launch();
  page = await open(browser, site);
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** Logits in Chromium of a normalised tensor, or of the picture at a URL. */
function logits(model: string, input: Float32Array | string, simd: Simd, threads = 1): Promise<number[]> {
  const text = typeof input === 'string' ? input : base64(input);
  return page.evaluate(
    async ([model, text, isUrl, simd, threads]) => {
      const classifier = await vitrine.Classifier.load(model, { simd, threads });
      const bytes = () => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      const values = await classifier.logits(isUrl ? text : new Float32Array(bytes().buffer));
      classifier.dispose();
      return [...values];
    },
    [model, text, typeof input === 'string', simd, threads] as const,
  );
}

const golden = path.join(root, 'tests/golden');
const cases = readdirSync(golden).filter((name) => existsSync(path.join(golden, name, 'golden.safetensors')));

for (const simd of ['relaxed', 'simd'] as const) {
  test(`${simd}: logits of every golden model as PyTorch's`, async () => {
    assert.ok(cases.length > 20);
    for (const name of cases) {
      const file = path.join(golden, name, 'golden.safetensors');
      const expected = readTensor(file, 'logits').values;
      const found = await logits(`/golden/${name}`, readTensor(file, 'input').values, simd);
      const scale = Math.max(...expected.map(Math.abs));
      const difference = largestDifference(found, expected);
      assert.ok(difference <= 1e-4 * scale, `${name}: off by ${difference} of ${scale}`);
    }
  });

  test(`${simd}: the shared ViT-Tiny's logits, with 1 and 2 threads`, { skip: skipShared }, async () => {
    const steps = path.join(GOLDEN, 'steps.safetensors');
    const { values: input } = readTensor(steps, 'input');
    const { values: expected } = readTensor(steps, 'head');
    const scale = Math.max(...expected.map(Math.abs));
    for (const threads of [1, 2]) {
      const difference = largestDifference(await logits(MODEL, input, simd, threads), expected);
      assert.ok(difference <= 1e-3 * scale, `${threads} threads: off by ${difference}`);
    }
  });
}

const photos = skipShared ? [] : readdirSync(path.join(shared, 'photos')).sort();
const sources = skipShared
  ? []
  : readdirSync(path.join(GOLDEN, 'resize')).filter((name) => name.endsWith('.source.png'));

test('logits of photos, resized here, as PyTorch’s after Pillow', { skip: skipShared }, async () => {
  assert.ok(sources.length > 0);
  const all = readTensor(path.join(GOLDEN, 'logits.safetensors'), 'logits');
  const classes = all.shape[1]!;
  for (const source of sources) {
    const row = photos.indexOf(source.replace('.source.png', '.jpg'));
    const expected = all.values.subarray(row * classes, (row + 1) * classes);
    const found = await logits(MODEL, `/shared/golden/vit_tiny_patch16_224/resize/${source}`, 'relaxed');
    const difference = largestDifference(found, expected);
    assert.ok(difference <= 5e-3, `${source}: off by ${difference}`);
  }
});

const skipNative =
  skipShared || (existsSync(NATIVE) ? false : `${NATIVE} is not built: npm run build:native`);

test('Chromium and native agree within 1e-3', { skip: skipNative }, async () => {
  const folder = path.join(GOLDEN, 'resize');
  const files = sources.map((name) => path.join(folder, name));
  const model = path.join(shared, 'models/vit_tiny_patch16_224');
  const { stdout, stderr } = spawnSync(
    NATIVE,
    ['classify', '--model', model, '--json', '--logits', ...files],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  );
  const native = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { logits: number[] }).logits);
  assert.equal(native.length, files.length, stderr);
  for (const [i, name] of sources.entries()) {
    const found = await logits(MODEL, `/shared/golden/vit_tiny_patch16_224/resize/${name}`, 'relaxed', 2);
    const difference = largestDifference(found, native[i]!);
    assert.ok(difference <= 1e-3, `${name}: off by ${difference}`);
  }
});

test('top-1 of the photos as PyTorch’s, from their JPEG files', { skip: skipShared }, async () => {
  const all = readTensor(path.join(GOLDEN, 'logits.safetensors'), 'logits');
  const classes = all.shape[1]!;
  assert.equal(photos.length, all.shape[0]);
  const found = await page.evaluate(
    async ([model, urls]) => {
      const classifier = await vitrine.Classifier.load(model);
      const results = await classifier.classify(urls, { topK: 1 });
      classifier.dispose();
      return results.map(({ labels }) => labels[0]!.index);
    },
    [MODEL, photos.map((name) => `/shared/photos/${name}`)] as const,
  );
  const differing = photos.filter((_, row) => {
    const values = all.values.subarray(row * classes, (row + 1) * classes);
    return found[row] !== values.indexOf(Math.max(...values));
  });
  // stb_image decodes JPEG a little differently from libjpeg.
  assert.ok(differing.length <= 2, `top-1 differs on ${differing.join(', ')}`);
});

test('features are what a model without a head gives', async () => {
  const result = await page.evaluate(async () => {
    const classifier = await vitrine.Classifier.load('/golden/no_head');
    const features = await classifier.features('/golden/image/photo.png');
    const logits = await classifier.logits('/golden/image/photo.png');
    const refused = await failure(classifier.classify('/golden/image/photo.png'));
    classifier.dispose();
    return { features: [...features], logits: [...logits], refused };
  });
  assert.equal(new Set(result.features).size, 16);
  assert.deepEqual(result.features, result.logits);
  assert.equal(result.refused.status, 'invalid_argument');
  assert.match(result.refused.message, /num_classes|head/);
});
