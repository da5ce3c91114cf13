// The demo page, as its visitors use it.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

import { launch } from './support/chromium.js';
import { root, send, type Site, startSite } from './support/site.js';

const PHOTO = path.join(root, 'tests/golden/image/photo.png');
const POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' blob: data:; connect-src 'self'; object-src 'none'";

let site: Site;
let browser: Browser;
let page: Page;
let complaints: string[];

before(async () => {
  // The bundled model is a small golden one here.
  site = await startSite({ policy: POLICY });
  browser = await launch('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
});
after(async () => {
  await browser?.close();
  await site?.close();
});
beforeEach(() => (complaints = []));
afterEach(async () => {
  site.handlers.delete('/demo/model/config.json');
  await page?.context().close();
  assert.deepEqual(complaints, []);
});

async function openDemo(query = '', options: BrowserContextOptions = {}): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // Chromium logs every 404, which is how a folder without preprocessor_config.json answers.
    if (message.type() === 'error' && !message.text().includes('404')) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (/^https?:/.test(request.url()) && !request.url().startsWith(site.url)) complaints.push(request.url());
  });
  await page.goto(`${site.url}/demo/${query}`);
}

const rows = () => page.locator('#labels li');
const alert = () => page.locator('[role=alert]:visible');

async function fiveLabels(): Promise<void> {
  await rows().nth(4).waitFor();
  const scores = await page.locator('#labels .score').allTextContents();
  assert.equal(scores.length, 5);
  const sum = scores.map((score) => parseFloat(score.replace(/[<>]/, ''))).reduce((a, b) => a + b);
  assert.ok(Math.abs(sum - 100) < 1, `${scores.join(' + ')} of five classes`);
  const labels = await page.locator('#labels .label').allTextContents();
  assert.deepEqual([...labels].sort(), ['kind 0', 'kind 1', 'kind 2', 'kind 3', 'kind 4']);
}

test('the whole way by keyboard: a picture, its labels, another model', async () => {
  await openDemo();
  await page.locator('#model-facts').waitFor();
  const focused = () =>
    page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute('value'));
  const tabTo = async (target: string) => {
    for (let i = 0; i < 20 && (await focused()) !== target; ++i) {
      await page.keyboard.press('Tab');
      const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
      if (await focused()) assert.notEqual(outline, 'none', `focus on ${await focused()} is visible`);
    }
    assert.equal(await focused(), target);
  };
  const chooser = page.waitForEvent('filechooser');
  await tabTo('choose');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(PHOTO);
  await fiveLabels();
  assert.match(await page.locator('[role=status]').innerText(), /^It looks like kind \d, \d/);
  assert.match(
    await page.locator('#timing').innerText(),
    /Decoding\s+[\d.]+ ms\s+Preparing\s+[\d.]+ ms\s+Inference\s+[\d.]+ ms/,
  );
  const facts = await page.locator('#model-facts').innerText();
  assert.match(facts, /parameters/);
  assert.match(facts, /5 labels/);
  assert.match(facts, /WebAssembly, relaxed SIMD, \d threads?/);

  await tabTo('bundled');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await tabTo('model-url');
  await page.keyboard.type(`${site.url}/golden/plain`);
  await page.keyboard.press('Enter');
  await page.getByText('10 labels').waitFor();
  // The picture stays and is classified again.
  await page
    .getByText(/^Class \d$/)
    .first()
    .waitFor();
});

test('pictures by drop and by paste', async () => {
  await openDemo();
  const give = (type: 'drop' | 'paste') =>
    page.evaluate(async (type) => {
      const data = new DataTransfer();
      data.items.add(
        new File([await (await fetch('/golden/image/photo.png')).blob()], `${type}.png`, {
          type: 'image/png',
        }),
      );
      const event =
        type === 'drop'
          ? new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
          : new ClipboardEvent('paste', { clipboardData: data, bubbles: true });
      document.body.dispatchEvent(event);
    }, type);
  for (const type of ['drop', 'paste'] as const) {
    await give(type);
    await page.getByText(`${type}.png`).waitFor();
    await fiveLabels();
  }
});

test('the drawing, for visitors with no picture at hand', async () => {
  await openDemo();
  await page.getByRole('button', { name: 'drawing' }).click();
  await page.locator('#preview:visible').waitFor();
  assert.equal(await page.locator('#caption').innerText(), 'A drawing');
  await fiveLabels();
});

test('the bundled model knows every drawing', async () => {
  await openDemo('?model=/bundled/');
  for (const name of ['bus', 'balloon or airship', 'sailboat', 'umbrella', 'clock']) {
    await page.getByRole('button', { name: 'drawing' }).click();
    await page.locator('[role=status]', { hasText: `It looks like ${name}, ` }).waitFor();
  }
});

test('a picture from the camera, which is let go afterwards', async () => {
  await openDemo();
  await page.locator('#camera').click();
  await page.locator('#shutter:enabled').click();
  await page.getByText('From the camera').waitFor();
  await fiveLabels();
  assert.equal(await page.evaluate(() => document.querySelector('video')!.srcObject), null);
});

test('a model folder from the disk', async () => {
  await openDemo();
  await page.setInputFiles('#picture-file', PHOTO);
  await page.getByText('Folder', { exact: true }).click();
  await page.setInputFiles('#folder-files', path.join(root, 'tests/golden/plain'));
  await page.getByText('10 labels').waitFor();
  await page
    .getByText(/^Class \d$/)
    .first()
    .waitFor();
  // A folder of something else.
  await page.setInputFiles('#folder-files', path.join(root, 'tests/golden/image'));
  await alert().waitFor();
  assert.match(await alert().innerText(), /could not be loaded.*no config\.json among the files/s);
  // The model there was works on.
  assert.match(await page.locator('#model-facts').innerText(), /10 labels/);
  await page.setInputFiles('#picture-file', path.join(root, 'tests/golden/image/420.jpg'));
  await page.getByText('420.jpg').waitFor();
  await page
    .getByText(/^Class \d$/)
    .first()
    .waitFor();
});

test('errors appear in words', async () => {
  await openDemo('?model=/nowhere/');
  await alert().waitFor();
  assert.match(
    await alert().innerText(),
    /The model could not be loaded\..*nowhere\/config\.json: HTTP 404/s,
  );
  await page.setInputFiles('#picture-file', PHOTO);
  await page.getByText('Load a model first.').waitFor();
  await page.context().close();

  await openDemo();
  await page.setInputFiles('#picture-file', {
    name: 'notes.jpg',
    mimeType: 'image/jpeg',
    buffer: Buffer.from('hello'),
  });
  await alert().waitFor();
  assert.match(await alert().innerText(), /This picture could not be classified\..*5 bytes/s);
  await page.setInputFiles('#picture-file', PHOTO);
  await fiveLabels();
  assert.equal(await alert().count(), 0);
});

test('without the bundled model the page says so, and another can be loaded', async () => {
  site.handlers.set('/demo/model/config.json', send('text/plain', 'not found', 404));
  await openDemo();
  await alert().waitFor();
  assert.match(await alert().innerText(), /model\/config\.json: HTTP 404/);
  await page.setInputFiles('#folder-files', path.join(root, 'tests/golden/hf_vit'));
  await page.setInputFiles('#picture-file', PHOTO);
  await fiveLabels();
});

test('a load can be cancelled', async () => {
  let requested = () => {};
  const request = new Promise<void>((resolve) => (requested = resolve));
  site.handlers.set('/demo/model/config.json', () => requested()); // never answers
  await openDemo();
  await request;
  await page.locator('#cancel').click();
  await page.locator('#loading').waitFor({ state: 'hidden' });
  assert.equal(await alert().count(), 0);
  await page.setInputFiles('#folder-files', path.join(root, 'tests/golden/hf_vit'));
  await page.getByText('5 labels').waitFor();
});

for (const [name, options] of Object.entries({
  'a phone of 320 pixels': { viewport: { width: 320, height: 640 } },
  'a phone of 360 pixels, dark': { viewport: { width: 360, height: 740 }, colorScheme: 'dark' },
} as const)) {
  test(`${name}: nothing sticks out`, async () => {
    await openDemo('', options);
    await page.getByText('URL', { exact: true }).click();
    await page.setInputFiles('#picture-file', PHOTO);
    await fiveLabels();
    const { width, content } = await page.evaluate(() => ({
      width: document.documentElement.clientWidth,
      content: document.documentElement.scrollWidth,
    }));
    assert.ok(content <= width, `${content} of ${width} pixels`);
    const small = await page
      .locator('button:visible')
      .evaluateAll((buttons) =>
        buttons
          .filter((button) => button.getBoundingClientRect().height < 36)
          .map((button) => button.textContent),
      );
    assert.deepEqual(small, [], 'buttons are large enough for a finger');
  });
}

/** WCAG's relative luminance of 'rgb(r, g, b)'. */
function luminance(colour: string): number {
  const [r, g, b] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
    const value = Number(part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`${colorScheme}: text stands out from what is behind it`, async () => {
    await openDemo('', { colorScheme });
    await page.setInputFiles('#picture-file', PHOTO);
    await fiveLabels();
    const pairs = await page.evaluate(() => {
      const behind = (element: Element): string => {
        const { backgroundColor } = getComputedStyle(element);
        return backgroundColor === 'rgba(0, 0, 0, 0)' && element.parentElement
          ? behind(element.parentElement)
          : backgroundColor;
      };
      const texts = [
        ...document.querySelectorAll(
          'h1, header p, h2, button, dt, dd, small, figcaption, label, .label, .score',
        ),
      ];
      const pairs = texts.map((element) => [
        element.className || element.tagName,
        getComputedStyle(element).color,
        behind(element),
      ]);
      const bar = getComputedStyle(document.querySelector('.bar')!).backgroundColor;
      return [
        ...pairs,
        ['label on its bar', getComputedStyle(document.querySelector('.label')!).color, bar],
      ] as [string, string, string][];
    });
    assert.ok(pairs.length > 20);
    for (const [what, text, background] of pairs) {
      const [high, low] = [luminance(text), luminance(background)].sort((a, b) => b - a) as [number, number];
      const contrast = (high + 0.05) / (low + 0.05);
      assert.ok(contrast >= 4.5, `${what}: ${text} on ${background} is ${contrast.toFixed(1)} : 1`);
    }
  });
}
