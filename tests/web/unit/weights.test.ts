import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import { VitrineError } from '../../../web/src/shared/errors.js';
import type { CacheMode, Progress } from '../../../web/src/shared/types.js';
import { BYTES, ModelCache } from '../../../web/src/worker/cache.js';
import { openWeights } from '../../../web/src/worker/weights.js';
import { type Answer, FakeCache, fakeFetch, FakeSink, safetensors, streamOf } from './support/fakes.js';

const URL_ = 'https://models.test/tiny/model.safetensors';
const FILE = safetensors(400);

let network: ReturnType<typeof fakeFetch> | undefined;
afterEach(() => network?.restore());

function serve(get: () => Answer, head: () => Answer = () => new Response(null)): void {
  network = fakeFetch({ [`GET ${URL_}`]: get, [`HEAD ${URL_}`]: head });
}

const served =
  (headers: HeadersInit = {}) =>
  () =>
    new Response(streamOf(FILE, 50), { headers });

async function load(fake = new FakeCache(), mode: CacheMode = 'default') {
  const sink = new FakeSink(FILE);
  const progress: Progress[] = [];
  let stored: Promise<void> | undefined;
  const cache = mode === 'no-store' ? undefined : new ModelCache(fake.asCache());
  const weights = await openWeights({ kind: 'url', url: URL_ }, cache, mode);
  await weights.pour(sink, {
    onProgress: (p) => progress.push(p),
    onStoring: (promise) => {
      stored = promise;
    },
  });
  await stored;
  return { sink, progress, last: progress.at(-1)! };
}

const nobody = { onProgress: () => {}, onStoring: () => {} };

const failsWith = (status: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof VitrineError, String(error));
  assert.equal(error.status, status);
  assert.match(error.message, words);
  return true;
};

test('every byte arrives once, in order, however it is chunked', async () => {
  for (const chunk of [1, 7, 8, 9, 100, 10_000]) {
    const sink = new FakeSink(FILE);
    const weights = await openWeights(
      { kind: 'stream', stream: streamOf(FILE, chunk) },
      undefined,
      'default',
    );
    await weights.pour(sink, nobody);
    assert.ok(sink.finished, `chunks of ${chunk}`);
  }
});

test('progress takes its total from the file itself and ends at exactly it', async () => {
  // The length of a compressed answer, as Content-Length has it, would be wrong.
  serve(served({ 'Content-Length': '17', 'Content-Encoding': 'gzip' }));
  const { progress, last } = await load();
  assert.deepEqual(last, { phase: 'weights', loaded: FILE.length, total: FILE.length, cached: false });
  for (const { loaded, total } of progress) assert.ok(total === 0 || loaded <= total);
});

test('the second load comes from the cache, after asking the server', async () => {
  const fake = new FakeCache();
  serve(served({ ETag: '"1"' }), () => new Response(null, { headers: { ETag: '"1"' } }));
  await load(fake);
  const { last, sink } = await load(fake);
  assert.equal(last.cached, true);
  assert.ok(sink.finished);
  assert.deepEqual(network!.requests, [`GET ${URL_}`, `HEAD ${URL_}`]);
});

test('compression on the way, which makes an ETag weak, is no change', async () => {
  for (const [then, now] of [
    ['"1"', 'W/"1"'],
    ['W/"1"', '"1"'],
  ] as const) {
    const fake = new FakeCache();
    serve(served({ ETag: then }), () => new Response(null, { headers: { ETag: now } }));
    await load(fake);
    assert.equal((await load(fake)).last.cached, true);
    network!.restore();
  }
});

test('when the new file cannot be had the old one stays', async () => {
  const fake = new FakeCache();
  let online = true;
  const get = () => (online ? served({ ETag: '"1"' })() : new TypeError('Failed to fetch'));
  serve(get, () => new Response(null, { headers: { ETag: '"2"' } }));
  await load(fake);
  online = false;
  await assert.rejects(load(fake), failsWith('network', /no answer/));
  assert.equal(fake.entries.size, 1);
});

test('a cached file serves when the server is away', async () => {
  const fake = new FakeCache();
  serve(served());
  await load(fake);
  network!.restore();
  network = fakeFetch({});
  assert.equal((await load(fake)).last.cached, true);
});

test('a file that changed on the server is fetched anew', async () => {
  const fake = new FakeCache();
  serve(served({ ETag: '"1"' }), () => new Response(null, { headers: { ETag: '"2"' } }));
  await load(fake);
  const { last, sink } = await load(fake);
  assert.equal(last.cached, false);
  assert.equal(sink.restarts, 2);
  assert.deepEqual(network!.requests, [`GET ${URL_}`, `HEAD ${URL_}`, `GET ${URL_}`]);
});

test('a download that ends early is an error and leaves no entry', async () => {
  const fake = new FakeCache();
  serve(() => new Response(streamOf(FILE.subarray(0, 300), 50)));
  await assert.rejects(load(fake), failsWith('network', /broke off after 300 of \d+ bytes/));
  assert.equal(fake.entries.size, 0);
});

test('a connection that breaks is an error and leaves no entry', async () => {
  const fake = new FakeCache();
  serve(() => new Response(streamOf(FILE, 50, 200)));
  await assert.rejects(
    load(fake),
    failsWith('network', /broke off after 200 of \d+ bytes \(network error\)/),
  );
  assert.equal(fake.entries.size, 0);
});

test('an entry that lost bytes is replaced from the network', async () => {
  const fake = new FakeCache();
  serve(served());
  await load(fake);
  const entry = fake.entries.get(URL_)!;
  entry.body = entry.body.subarray(0, -10);
  const { last, sink } = await load(fake);
  assert.equal(last.cached, false);
  assert.ok(sink.finished);
  assert.equal(fake.entries.get(URL_)!.body.length, FILE.length);
});

test('an entry without its record of completeness is not used', async () => {
  const fake = new FakeCache();
  fake.entries.set(URL_, { body: FILE, headers: new Headers() });
  serve(served());
  assert.equal((await load(fake)).last.cached, false);
  assert.equal(fake.entries.get(URL_)!.headers.get(BYTES), String(FILE.length));
});

test('an entry whose record disagrees with its file is replaced', async () => {
  const fake = new FakeCache();
  fake.entries.set(URL_, { body: FILE, headers: new Headers({ [BYTES]: String(FILE.length + 1) }) });
  serve(served());
  assert.equal((await load(fake)).last.cached, false);
});

test('a file that the core refuses is not stored', async () => {
  const fake = new FakeCache();
  const other = safetensors(800);
  serve(() => new Response(streamOf(other, 50)));
  await assert.rejects(load(fake), /not the expected file/);
  assert.equal(fake.entries.size, 0);
});

test('a full disk costs the copy, not the load', async () => {
  const fake = new FakeCache();
  fake.quota = 100;
  serve(served());
  const { sink } = await load(fake);
  assert.ok(sink.finished);
  assert.equal(fake.entries.size, 0);
});

test("'no-store' writes nothing, 'reload' reads nothing", async () => {
  const fake = new FakeCache();
  serve(served());
  await load(fake, 'no-store');
  assert.equal(fake.entries.size, 0);
  await load(fake, 'default');
  assert.equal((await load(fake, 'reload')).last.cached, false);
});

test('what is not weights is named', async () => {
  const cases: [() => Answer, string, RegExp][] = [
    [() => new Response('no', { status: 404, statusText: 'Not Found' }), 'network', /HTTP 404 Not Found/],
    [
      () => new Response('<!doctype html>', { headers: { 'Content-Type': 'text/html' } }),
      'network',
      /an HTML page/,
    ],
    [() => new TypeError('Failed to fetch'), 'network', /no answer .*CORS/],
  ];
  for (const [answer, status, words] of cases) {
    serve(answer);
    await assert.rejects(load(), failsWith(status, words));
    network!.restore();
  }
});

test('a file that changes while it is read is an error in words', async () => {
  const weights = await openWeights(
    { kind: 'stream', stream: streamOf(FILE, 50, 100) },
    undefined,
    'default',
  );
  await assert.rejects(weights.pour(new FakeSink(FILE), nobody), failsWith('io', /stopped after 100 bytes/));
});
