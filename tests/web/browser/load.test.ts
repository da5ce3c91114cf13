// Loading models in the page: sources, progress, cache, abort, environments, failures in words.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';

import { launch, noWorkers, open } from './support/chromium.js';
import {
  root,
  send,
  sendFile,
  shared,
  type Site,
  type SiteOptions,
  skipShared,
  startSite,
} from './support/site.js';

const PHOTO = '/golden/image/photo.png';
const WEIGHTS_FILE = path.join(root, 'tests/golden/plain/model.safetensors');
const WEIGHTS = readFileSync(WEIGHTS_FILE);
const CONFIG = readFileSync(path.join(root, 'tests/golden/plain/config.json'), 'utf8');

let site: Site;
let browser: Browser;

before(async () => {
  site = await startSite();
  browser = await launch('--host-resolver-rules=MAP insecure.test 127.0.0.1');
});
after(async () => {
  await browser?.close();
  await site?.close();
});
afterEach(() => {
  for (const pathname of site.handlers.keys()) {
    if (pathname.startsWith('/models/') || pathname.startsWith('/golden/')) site.handlers.delete(pathname);
  }
});

/** Runs `work` in a fresh page of the site. */
async function inPage<T>(work: (page: Page) => Promise<T>): Promise<T> {
  const page = await open(browser, site);
  try {
    return await work(page);
  } finally {
    await page.context().close();
  }
}

/** A model folder under /models/tiny/ whose weights are answered by `weights`. */
function serveModel(weights: Parameters<typeof site.handlers.set>[1], config = CONFIG): void {
  site.handlers.set('/models/tiny/config.json', send('application/json', config));
  site.handlers.set('/models/tiny/model.safetensors', weights);
}

const loadTiny = (page: Page) => page.evaluate(() => failure(vitrine.Classifier.load('/models/tiny')));

test('progress counts the file’s bytes and ends at all of them', async () => {
  const { progress, info } = await inPage((page) =>
    page.evaluate(async () => {
      const progress: { loaded: number; total: number; phase: string; cached: boolean }[] = [];
      const classifier = await vitrine.Classifier.load('/golden/plain/', {
        onProgress: (p) => progress.push(p),
      });
      return { progress, info: classifier.info };
    }),
  );
  const { size } = statSync(WEIGHTS_FILE);
  assert.deepEqual(progress.at(-1), { phase: 'weights', loaded: size, total: size, cached: false });
  assert.equal(info.backend, 'wasm');
  assert.equal(info.simd, 'relaxed');
  assert.equal(info.crossOriginIsolated, true);
  assert.equal(info.num_classes, 10);
  assert.deepEqual(info.img_size, [32, 48]);
  assert.ok(info.threads >= 1 && info.threads <= 4 && info.threadsReason !== '');
  assert.ok(info.memory.heap > info.memory.weights && info.memory.weights > 0);
});

test('every kind of source gives the same model', async () => {
  const results = await inPage((page) =>
    page.evaluate(async (photo) => {
      const folder = '/golden/hf_vit';
      const blob = async (name: string) => (await fetch(`${folder}/${name}`)).blob();
      const config = await blob('config.json');
      const weights = await blob('model.safetensors');
      const file = (name: string, content: Blob) => {
        const file = new File([content], name);
        Object.defineProperty(file, 'webkitRelativePath', { value: `hf_vit/${name}` });
        return file;
      };
      const buffer = await weights.arrayBuffer();
      const sources: Record<string, import('../../../web/src/index.js').ModelSource> = {
        'folder URL': folder,
        'URL object': new URL(`${folder}/`, location.href),
        files: [file('config.json', config), file('model.safetensors', weights)],
        'URL parts': {
          config: `${folder}/config.json`,
          weights: new URL(`${folder}/model.safetensors`, location.href),
        },
        'text and blob': { config: await config.text(), weights },
        'object and buffer': { config: JSON.parse(await config.text()) as object, weights: buffer },
        'blob and view': { config, weights: new Uint8Array(buffer) },
        stream: { config, weights: weights.stream() },
        response: { config, weights: await fetch(`${folder}/model.safetensors`) },
      };
      const results: Record<string, string> = {};
      for (const [name, source] of Object.entries(sources)) {
        const classifier = await vitrine.Classifier.load(source);
        const { labels } = await classifier.classify(photo);
        results[name] = JSON.stringify(labels);
        classifier.dispose();
      }
      if (buffer.byteLength === 0) throw new Error('taken from the caller');
      return results;
    }, PHOTO),
  );
  assert.equal(Object.keys(results).length, 9);
  for (const [name, labels] of Object.entries(results)) assert.equal(labels, results['folder URL'], name);
  assert.match(results['folder URL']!, /"label":"kind \d"/);
});

test('labels of the caller win', async () => {
  const labels = await inPage((page) =>
    page.evaluate(async (photo) => {
      const names = ['a', 'b', 'c', 'd', 'e'];
      const classifier = await vitrine.Classifier.load('/golden/hf_vit', { labels: names });
      const { labels } = await classifier.classify(photo);
      return labels.map(({ index, label }) => label === names[index]);
    }, PHOTO),
  );
  assert.deepEqual(labels, [true, true, true, true, true]);
});

test('a second load comes from the cache; a partial download never does', async () => {
  let cut = true;
  serveModel((request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream', ETag: '"1"' });
    if (request.method === 'HEAD') response.end();
    else response.end(cut ? WEIGHTS.subarray(0, -100) : WEIGHTS);
  });
  const { first, cached, requests, cleared } = await inPage(async (page) => {
    const first = await loadTiny(page);
    cut = false;
    const load = () =>
      page.evaluate(async () => {
        let cached: boolean | undefined;
        const classifier = await vitrine.Classifier.load('/models/tiny', {
          onProgress: (p) => (cached = p.cached),
        });
        classifier.dispose();
        return cached;
      });
    const cached = [await load()];
    // The copy is on its way to the disk, and disposing of the classifier does not stop it.
    await page.evaluate(async () => {
      while (!(await caches.match('/models/tiny/model.safetensors')))
        await new Promise((go) => setTimeout(go, 10));
    });
    site.requests.length = 0;
    cached.push(await load());
    const requests = site.requests.filter((request) => request.endsWith('.safetensors'));
    await page.evaluate(() => vitrine.Classifier.clearCache());
    return { first, cached, requests, cleared: await load() };
  });
  assert.equal(first.status, 'network');
  assert.match(first.message, /broke off after/);
  assert.deepEqual(cached, [false, true]);
  assert.deepEqual(requests, ['HEAD /models/tiny/model.safetensors']);
  assert.equal(cleared, false);
});

test('an abort while loading rejects with its reason, ends the worker and leaves no copy', async () => {
  serveModel((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    response.write(WEIGHTS.subarray(0, WEIGHTS.length >> 1)); // and no more
  });
  await inPage(async (page) => {
    const result = await page.evaluate(async () => {
      const controller = new AbortController();
      const load = vitrine.Classifier.load('/models/tiny', {
        signal: controller.signal,
        onProgress: ({ loaded }) => loaded > 0 && controller.abort(),
      });
      const aborted = await failure(load);
      const early = await failure(
        vitrine.Classifier.load('/models/tiny', { signal: AbortSignal.abort(new Error('no')) }),
      );
      const cache = await caches.open('vitrine-v1');
      return {
        aborted,
        early,
        kept: (await cache.keys()).filter(({ url }) => url.endsWith('.safetensors')).length,
      };
    });
    assert.equal(result.aborted.name, 'AbortError');
    assert.equal(result.early.message, 'no');
    assert.equal(result.kept, 0);
    await noWorkers(page);
  });
});

test('failures name what was found and what to do', async () => {
  const weights = send('application/octet-stream', WEIGHTS);
  const cases: [string, () => void, string, RegExp][] = [
    ['nothing there', () => {}, 'network', /config\.json: HTTP 404.*expected config\.json/],
    [
      'a page for every address',
      () => serveModel(weights, '<!doctype html>'),
      'network',
      /HTML page, expected config\.json/,
    ],
    ['not JSON', () => serveModel(weights, '{"architecture": '), 'invalid_config', /config\.json|JSON/],
    ['unknown network', () => serveModel(weights, '{"architecture": "resnet50"}'), 'unsupported', /resnet50/],
    [
      'weights of another model',
      () => serveModel(weights, CONFIG.replace(/("mlp_ratio"): 2/, '$1: 3')),
      'invalid_checkpoint',
      /shape \[.*expected \[/,
    ],
    [
      'no weights',
      () => serveModel(send('text/plain', 'gone', 404)),
      'network',
      /HTTP 404.*expected model\.safetensors/,
    ],
    [
      'nonsense weights',
      () => serveModel(send('application/octet-stream', Buffer.alloc(5000, 7))),
      'too_large',
      /header/,
    ],
    [
      'a page that calls itself weights',
      () => serveModel(send('application/octet-stream', '<!doctype html><html></html>')),
      'invalid_checkpoint',
      /a web page/,
    ],
    [
      'a Git LFS pointer',
      () => serveModel(send('application/octet-stream', 'version https://git-lfs.github.com/spec/v1\n')),
      'invalid_checkpoint',
      /Git LFS pointer/,
    ],
    [
      'a connection that breaks',
      () =>
        serveModel((_request, response) => {
          response.writeHead(200, { 'Content-Length': WEIGHTS.length });
          response.write(WEIGHTS.subarray(0, 5000), () => response.destroy());
        }),
      'network',
      /broke off after \d+( of \d+)? bytes \(network error\)/,
    ],
  ];
  for (const [what, serve, status, words] of cases) {
    serve();
    const found = await inPage(loadTiny);
    assert.equal(found.name, 'VitrineError', `${what}: ${found.message}`);
    assert.equal(found.status, status, `${what}: ${found.message}`);
    assert.match(found.message, words, what);
  }
});

test('a core that is not served is named', async () => {
  site.handlers.set('/vitrine/core-relaxed.wasm', send('text/plain', 'gone', 404));
  const found = await inPage((page) =>
    page.evaluate(() => failure(vitrine.Classifier.load('/golden/plain'))),
  );
  site.handlers.delete('/vitrine/core-relaxed.wasm');
  assert.equal(found.status, 'network');
  assert.match(found.message, /core-relaxed\.wasm \(.*HTTP 404/);

  site.handlers.set('/vitrine/worker.js', send('text/plain', 'gone', 404));
  const worker = await inPage((page) =>
    page.evaluate(() => failure(vitrine.Classifier.load('/golden/plain'))),
  );
  site.handlers.delete('/vitrine/worker.js');
  assert.equal(worker.status, 'network');
  assert.match(worker.message, /worker's script could not be started/);
});

test('a package on another origin is named', async () => {
  const other = await startSite();
  for (const file of ['index.js', 'worker.js']) {
    const name = `/vitrine/${file}`;
    other.handlers.set(name, (request, response) => {
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
      sendFile(request, response);
    });
  }
  const found = await inPage((page) =>
    page.evaluate(async (url) => {
      const { Classifier } = (await import(url)) as typeof vitrine;
      return failure(Classifier.load('/golden/plain'));
    }, `${other.url}/vitrine/index.js`),
  );
  await other.close();
  assert.equal(found.status, 'network');
  assert.match(found.message, /only from the page's own origin/);
});

test('a server that calls wasm by no name is no trouble', async () => {
  site.handlers.set('/vitrine/core-relaxed.wasm', (request, response) => {
    response.setHeader('Content-Type', 'application/octet-stream');
    sendFile(request, response);
  });
  const found = await inPage((page) =>
    page.evaluate(() => failure(vitrine.Classifier.load('/golden/plain'))),
  );
  site.handlers.delete('/vitrine/core-relaxed.wasm');
  assert.equal(found.message, 'nothing failed');
});

/** Loads and classifies on another site; what it says it ran on. */
async function elsewhere(options: SiteOptions, origin = (url: string) => url) {
  const other = await startSite(options);
  const page = await open(browser, other, origin(other.url));
  try {
    return await page.evaluate(async (photo) => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', (event) =>
        violations.push(event.violatedDirective),
      );
      const info: Record<string, unknown>[] = [];
      const labels: string[] = [];
      for (const simd of ['relaxed', 'simd'] as const) {
        const classifier = await vitrine.Classifier.load('/golden/plain', { simd, threads: 2 });
        labels.push(JSON.stringify((await classifier.classify(photo)).labels.map(({ index }) => index)));
        const { threads, threadsReason, crossOriginIsolated, simd: ranOn } = classifier.info;
        info.push({ threads, threadsReason, crossOriginIsolated, simd: ranOn });
        classifier.dispose();
      }
      return { info, labels, violations, caches: 'caches' in globalThis };
    }, PHOTO);
  } finally {
    await page.context().close();
    await other.close();
  }
}

test('isolated: two threads, with relaxed SIMD and without', async () => {
  const { info, labels } = await elsewhere({});
  assert.deepEqual(
    info.map(({ threads, simd }) => [threads, simd]),
    [
      [2, 'relaxed'],
      [2, 'simd'],
    ],
  );
  assert.equal(labels[0], labels[1]);
});

test('not isolated: one thread, and it says why', async () => {
  const { info } = await elsewhere({ isolated: false });
  for (const { threads, threadsReason, crossOriginIsolated } of info) {
    assert.equal(threads, 1);
    assert.equal(crossOriginIsolated, false);
    assert.match(threadsReason as string, /not cross-origin isolated.*Cross-Origin-Embedder-Policy/);
  }
});

test('an insecure origin: no cache, one thread, still works', async () => {
  const result = await elsewhere({}, (url) => url.replace('localhost', 'insecure.test'));
  assert.equal(result.caches, false);
  assert.deepEqual(
    result.info.map(({ threads }) => threads),
    [1, 1],
  );
});

test('a strict Content-Security-Policy: no eval, no inline code', async () => {
  const policy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";
  const { info, violations } = await elsewhere({ policy });
  assert.equal(info.length, 2);
  assert.deepEqual(violations, []);
});

test('a policy without wasm-unsafe-eval is named as the reason', async () => {
  const other = await startSite({ policy: "default-src 'self'" });
  const page = await open(browser, other);
  const found = await page.evaluate(() => failure(vitrine.Classifier.load('/golden/plain')));
  await page.context().close();
  await other.close();
  assert.equal(found.status, 'network');
  assert.match(found.message, /wasm-unsafe-eval/);
});

test('memory while loading: at most 1.35 × the float32 weights + 32 MB', { skip: skipShared }, async () => {
  const folder = path.join(shared, 'models/vit_tiny_patch16_224');
  const { size } = statSync(path.join(folder, 'model.safetensors'));
  const { heap } = await inPage((page) =>
    page.evaluate(async () => {
      const classifier = await vitrine.Classifier.load('/shared/models/vit_tiny_patch16_224');
      // The heap never shrinks: what it is now is its peak.
      const { heap } = classifier.info.memory;
      classifier.dispose();
      return { heap };
    }),
  );
  assert.ok(heap <= 1.35 * size + 32e6, `${heap} bytes of heap for ${size} of weights`);
});
