// Every kind of picture that classify takes, in the page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';

import { launch, open } from './support/chromium.js';
import { root, send, type Site, startSite } from './support/site.js';
import { largestDifference } from './support/tensors.js';

const PHOTO = '/golden/image/photo.png';
const image = (name: string) => readFileSync(path.join(root, 'tests/golden/image', name));

declare global {
  /** A loaded golden model, and the photo as an ImageBitmap and as a canvas. */
  var model: import('../../../web/src/index.js').Classifier;
  var bitmap: ImageBitmap;
  var canvas: HTMLCanvasElement;
}

let site: Site;
let foreign: Site;
let browser: Browser;
let page: Page;
let expected: number[];

before(async () => {
  site = await startSite();
  foreign = await startSite({ isolated: false });
  foreign.handlers.set('/photo.png', (_request, response) => {
    // May be shown, but not read.
    response.writeHead(200, { 'Content-Type': 'image/png', 'Cross-Origin-Resource-Policy': 'cross-origin' });
    response.end(image('photo.png'));
  });
  browser = await launch('--autoplay-policy=no-user-gesture-required');
  page = await open(browser, site);
  expected = await page.evaluate(async (photo) => {
    globalThis.model = await vitrine.Classifier.load('/golden/plain');
    const blob = await (await fetch(photo)).blob();
    globalThis.bitmap = await createImageBitmap(blob);
    globalThis.canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext('2d')!.drawImage(bitmap, 0, 0);
    return [...(await model.logits(blob))];
  }, PHOTO);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await foreign?.close();
});

/** The photo came through pixel for pixel. */
function assertSame(found: number[], what: string): void {
  const difference = largestDifference(found, expected);
  assert.ok(difference <= 1e-6, `${what}: off by ${difference}`);
}

test('bytes: Blob, File, ArrayBuffer, Uint8Array, and the caller keeps them', async () => {
  const results = await page.evaluate(async (photo) => {
    const blob = await (await fetch(photo)).blob();
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const padded = new Uint8Array(bytes.length + 8);
    padded.set(bytes, 4);
    const results: Record<string, number[]> = {
      File: [...(await model.logits(new File([blob], 'photo.png')))],
      ArrayBuffer: [...(await model.logits(bytes.buffer))],
      Uint8Array: [...(await model.logits(padded.subarray(4, 4 + bytes.length)))],
    };
    if (bytes.byteLength === 0 || padded.byteLength === 0) throw new Error('taken from the caller');
    return results;
  }, PHOTO);
  for (const [kind, found] of Object.entries(results)) assertSame(found, kind);
});

test('URLs: absolute, relative to the page, URL objects, blob: and data:', async () => {
  const results = await page.evaluate(async (photo) => {
    const blob = await (await fetch(photo)).blob();
    const dataUrl = await new Promise<string>((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result as string);
      reader.readAsDataURL(blob);
    });
    const urls = [new URL(photo, location.href).href, photo.slice(1), new URL(photo, location.href)];
    const all = [...urls, URL.createObjectURL(blob), dataUrl];
    return Promise.all(all.map(async (url) => [...(await model.logits(url))]));
  }, PHOTO);
  for (const [i, found] of results.entries()) assertSame(found, `URL ${i}`);
});

test('pixels: ImageData, ImageBitmap, canvases, and the caller keeps them', async () => {
  const results = await page.evaluate(async () => {
    const context = canvas.getContext('2d')!;
    const offscreen = new OffscreenCanvas(canvas.width, canvas.height);
    offscreen.getContext('2d')!.drawImage(bitmap, 0, 0);
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
    const results: Record<string, number[]> = {
      ImageData: [...(await model.logits(pixels))],
      ImageBitmap: [...(await model.logits(bitmap))],
      'ImageBitmap again': [...(await model.logits(bitmap))],
      canvas: [...(await model.logits(canvas))],
      OffscreenCanvas: [...(await model.logits(offscreen))],
    };
    if (pixels.data.length === 0 || bitmap.width === 0) throw new Error('taken from the caller');
    return results;
  });
  for (const [kind, found] of Object.entries(results)) assertSame(found, kind);
});

test('<img>, loading or loaded, and SVG', async () => {
  const { photo, svg, svgBlob, red } = await page.evaluate(async (photo) => {
    const load = (src: string) => Object.assign(new Image(), { src });
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="48" height="32"><rect width="48" height="32" fill="red"/></svg>`;
    const red = new ImageData(48, 32);
    for (let i = 0; i < red.data.length; i += 4) red.data.set([255, 0, 0, 255], i);
    return {
      photo: [...(await model.logits(load(photo)))],
      svg: [...(await model.logits(load(`data:image/svg+xml,${encodeURIComponent(svg)}`)))],
      svgBlob: [...(await model.logits(new Blob([svg], { type: 'image/svg+xml' })))],
      red: [...(await model.logits(red))],
    };
  }, PHOTO);
  assertSame(photo, '<img>');
  assert.ok(largestDifference(svg, red) <= 1e-6);
  assert.ok(largestDifference(svgBlob, red) <= 1e-6);
});

test('VideoFrame and <video>', async () => {
  const { frame, frameAgain, video } = await page.evaluate(async () => {
    const frame = new VideoFrame(bitmap, { timestamp: 0 });
    const first = [...(await model.logits(frame))];
    const second = [...(await model.logits(frame))]; // the caller's frame is still open
    frame.close();
    const video = document.createElement('video');
    video.muted = true;
    video.srcObject = canvas.captureStream();
    // A stream gives a frame when the canvas is drawn on.
    const drawing = setInterval(() => canvas.getContext('2d')!.drawImage(bitmap, 0, 0), 20);
    await video.play();
    clearInterval(drawing);
    return { frame: first, frameAgain: second, video: [...(await model.logits(video))] };
  });
  assertSame(frame, 'VideoFrame');
  assertSame(frameAgain, 'VideoFrame again');
  // Video is YUV: close, not equal.
  const [difference, scale] = [largestDifference(video, expected), Math.max(...expected.map(Math.abs))];
  assert.ok(difference < 0.05 * scale, `<video>: off by ${difference} of ${scale}`);
});

test('WebP comes through the browser’s decoder, pixel for pixel where it is lossless', async () => {
  const { type, found, decode } = await page.evaluate(async () => {
    const blob = await new Promise<Blob>((resolve) => canvas.toBlob((b) => resolve(b!), 'image/webp', 1));
    const { timing } = await model.classify(blob);
    return { type: blob.type, found: [...(await model.logits(blob))], decode: timing.decode };
  });
  assert.equal(type, 'image/webp');
  assertSame(found, 'WebP');
  assert.ok(decode > 0, 'decoding is timed');
});

/** What each EXIF orientation asks for: the linear part [a, b, c, d] of a canvas transform. */
const TURNS: Record<number, [number, number, number, number]> = {
  2: [-1, 0, 0, 1],
  3: [-1, 0, 0, -1],
  4: [1, 0, 0, -1],
  5: [0, 1, 1, 0],
  6: [0, 1, -1, 0],
  7: [0, -1, -1, 0],
  8: [0, -1, 1, 0],
};

test('EXIF orientation is honoured by the core', async () => {
  for (const [orientation, turn] of Object.entries(TURNS)) {
    const { found, turned } = await page.evaluate(
      async ([orientation, [a, b, c, d]]) => {
        const upright = await createImageBitmap(await (await fetch('/golden/image/orientation1.png')).blob());
        const { width, height } = upright;
        const turned = a === 0 ? new OffscreenCanvas(height, width) : new OffscreenCanvas(width, height);
        const context = turned.getContext('2d')!;
        // Whatever is mirrored is moved back into the canvas.
        context.setTransform(a, b, c, d, a + c < 0 ? turned.width : 0, b + d < 0 ? turned.height : 0);
        context.drawImage(upright, 0, 0);
        const pixels = context.getImageData(0, 0, turned.width, turned.height);
        return {
          found: [...(await model.logits(`/golden/image/orientation${orientation}.png`))],
          turned: [...(await model.logits(pixels))],
        };
      },
      [orientation, turn] as const,
    );
    const difference = largestDifference(found, turned);
    assert.ok(difference <= 1e-6, `orientation ${orientation}: off by ${difference}`);
  }
});

test('EXIF orientation of a JPEG: the core and <img> agree', async () => {
  const { core, browser, unturned } = await page.evaluate(async () => {
    const jpeg = await (await fetch('/golden/image/420.jpg')).blob();
    // Big-endian TIFF with one entry: tag 0x112 (orientation), one SHORT, 6 (turn right); in APP1.
    const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
    const app1 = [0xff, 0xe1, 0, 2 + 6 + tiff.length, ...new TextEncoder().encode('Exif\0\0'), ...tiff];
    const turned = new Blob([jpeg.slice(0, 2), new Uint8Array(app1), jpeg.slice(2)]);
    const image = Object.assign(new Image(), { src: URL.createObjectURL(turned) });
    return {
      core: [...(await model.logits(turned))],
      browser: [...(await model.logits(image))],
      unturned: [...(await model.logits(jpeg))],
    };
  });
  // The two decode a little differently.
  const apart = largestDifference(core, unturned);
  assert.ok(largestDifference(core, browser) < 0.1 * apart);
  assert.ok(apart > 0.1 * Math.max(...core.map(Math.abs)), 'the turn makes a difference');
});

test('transparency: composited on white, or dropped', async () => {
  const results = await page.evaluate(async () => {
    const fill = (...rgba: number[]) => {
      const pixels = new ImageData(48, 32);
      for (let i = 0; i < pixels.data.length; i += 4) pixels.data.set(rgba, i);
      return pixels;
    };
    const logits = async (pixels: ImageData, alpha: 'white' | 'drop') => [
      ...(await model.logits(pixels, { alpha })),
    ];
    return {
      clearWhite: await logits(fill(255, 0, 0, 0), 'white'),
      white: await logits(fill(255, 255, 255, 255), 'white'),
      clearDrop: await logits(fill(255, 0, 0, 0), 'drop'),
      red: await logits(fill(255, 0, 0, 255), 'drop'),
    };
  });
  assert.deepEqual(results.clearWhite, results.white);
  assert.deepEqual(results.clearDrop, results.red);
  assert.notDeepEqual(results.white, results.red);
});

test('results: the best labels first, as many as asked for', async () => {
  const { five, all, many } = await page.evaluate(async (photo) => {
    const five = await model.classify(photo);
    const all = await model.classify(photo, { topK: 100 });
    return { five, all, many: await model.classify([photo, '/golden/image/420.jpg', photo], { topK: 2 }) };
  }, PHOTO);
  assert.equal(five.labels.length, 5);
  assert.equal(all.labels.length, 10);
  assert.deepEqual(all.labels.slice(0, 5), five.labels);
  const scores = all.labels.map(({ score }) => score);
  assert.deepEqual(
    scores,
    [...scores].sort((a, b) => b - a),
  );
  assert.ok(Math.abs(scores.reduce((a, b) => a + b) - 1) < 1e-4);
  assert.equal(all.labels[0]!.index, expected.indexOf(Math.max(...expected)));
  for (const ms of Object.values(five.timing)) assert.ok(ms >= 0 && Number.isFinite(ms));
  assert.deepEqual(Object.keys(five.timing), ['decode', 'preprocess', 'inference']);
  assert.equal(many.length, 3);
  assert.deepEqual(many[0]!.labels, many[2]!.labels);
  assert.notDeepEqual(many[0]!.labels, many[1]!.labels);
});

test('calls at the same time do not mix', async () => {
  const { together, apart } = await page.evaluate(async (photo) => {
    const urls = [photo, '/golden/image/420.jpg', '/golden/image/444.jpg', '/golden/image/still.gif'];
    const logits = async (url: string) => [...(await model.logits(url))];
    const together = await Promise.all([...urls, ...urls].map(logits));
    const apart: number[][] = [];
    for (const url of urls) apart.push(await logits(url));
    return { together, apart };
  }, PHOTO);
  assert.deepEqual(together, [...apart, ...apart]);
});

test('bad pictures are named in words', async () => {
  site.handlers.set('/page-instead', send('text/html', '<!doctype html>'));
  const cut = [...image('photo.png').subarray(0, 200)];
  const failures = await page.evaluate(
    async ([cut, foreignPhoto]) => {
      const classify = (input: unknown) => failure(model.classify(input as Blob));
      const closed = await createImageBitmap(bitmap);
      closed.close();
      const foreign = Object.assign(new Image(), { src: foreignPhoto });
      await foreign.decode();
      const tainted = document.createElement('canvas');
      tainted.getContext('2d')!.drawImage(foreign, 0, 0);
      return {
        empty: await classify(new Blob([])),
        text: await classify(new Blob(['hello'], { type: 'text/plain' })),
        cut: await classify(new Blob([new Uint8Array(cut)])),
        missing: await classify('/nowhere.png'),
        page: await classify('/page-instead'),
        noServer: await classify('http://localhost:1/cat.png'),
        broken: await classify(Object.assign(new Image(), { src: '/nowhere.png' })),
        noSource: await classify(new Image()),
        closed: await classify(closed),
        noCanvas: await classify(Object.assign(document.createElement('canvas'), { width: 0 })),
        video: await classify(document.createElement('video')),
        foreign: await classify(foreign),
        tainted: await classify(tainted),
        nothing: await classify(null),
        number: await classify(7),
        tensor: await classify(new Float32Array(3 * 32 * 48)),
        item: await classify([bitmap, new Blob([])]),
        topK: await failure(model.classify(bitmap, { topK: 0 })),
        alpha: await failure(model.classify(bitmap, { alpha: 'black' as 'white' })),
        shortTensor: await failure(model.logits(new Float32Array(5))),
      };
    },
    [cut, `${foreign.url}/photo.png`] as const,
  );
  const words: Record<keyof typeof failures, [string, RegExp]> = {
    empty: ['invalid_image', /empty \(0 bytes\)/],
    text: ['invalid_image', /5 bytes of text\/plain that neither Vitrine nor this browser can decode/],
    cut: ['invalid_image', /./],
    missing: ['network', /nowhere\.png: HTTP 404, expected a picture/],
    page: ['invalid_image', /an HTML page, expected a picture/],
    noServer: ['network', /no answer/],
    broken: ['invalid_image', /<img> is broken .*nowhere\.png/],
    noSource: ['invalid_image', /<img> is broken/],
    closed: ['invalid_image', /ImageBitmap is closed/],
    noCanvas: ['invalid_image', /canvas is empty \(0 × 150 pixels\)/],
    video: ['invalid_image', /no frame yet/],
    foreign: ['invalid_image', /another site.*crossorigin/],
    tainted: ['invalid_image', /another site.*crossorigin/],
    nothing: ['invalid_argument', /input: null, expected a Blob/],
    number: ['invalid_argument', /input: number/],
    tensor: ['invalid_argument', /Float32Array, which only logits/],
    item: ['invalid_image', /^input 1: .*empty/],
    topK: ['invalid_argument', /topK: 0, expected/],
    alpha: ['invalid_argument', /alpha: 'black', expected/],
    shortTensor: ['invalid_argument', /5/],
  };
  for (const [what, [status, pattern]] of Object.entries(words)) {
    const found = failures[what as keyof typeof failures];
    assert.equal(found.name, 'VitrineError', `${what}: ${found.message}`);
    assert.equal(found.status, status, `${what}: ${found.message}`);
    assert.match(found.message, pattern, what);
  }
  // And the classifier still works.
  assertSame(await page.evaluate(async () => [...(await model.logits(bitmap))]), 'afterwards');
});
