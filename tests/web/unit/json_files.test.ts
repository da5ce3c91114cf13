import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';

import type { SourceMessage } from '../../../web/src/shared/messages.js';
import { ModelCache } from '../../../web/src/worker/cache.js';
import { readJsonFiles } from '../../../web/src/worker/json_files.js';
import { FakeCache, fakeFetch } from './support/fakes.js';

const FOLDER = 'https://models.test/tiny';
const SOURCE: SourceMessage = {
  config: { kind: 'url', url: `${FOLDER}/config.json`, optional: false },
  preprocessor: { kind: 'url', url: `${FOLDER}/preprocessor_config.json`, optional: true },
  labels: { kind: 'url', url: `${FOLDER}/labels.json`, optional: true },
  weights: { kind: 'url', url: `${FOLDER}/model.safetensors` },
};

let network: ReturnType<typeof fakeFetch> | undefined;
afterEach(() => network?.restore());

test('optional files may be missing, or be the page of a single-page application', async () => {
  network = fakeFetch({
    [`GET ${FOLDER}/config.json`]: () => new Response('{"a": 1}'),
    [`GET ${FOLDER}/preprocessor_config.json`]: () => new Response('', { status: 404 }),
    [`GET ${FOLDER}/labels.json`]: () => new Response('<!doctype html>'),
  });
  assert.deepEqual(await readJsonFiles(SOURCE, undefined, 'default'), {
    config: '{"a": 1}',
    preprocessor: undefined,
    labels: undefined,
  });
});

test('config.json must be there, and be no page', async () => {
  network = fakeFetch({ [`GET ${FOLDER}/config.json`]: () => new Response('', { status: 403 }) });
  await assert.rejects(readJsonFiles(SOURCE, undefined, 'default'), {
    status: 'network',
    message: /HTTP 403, expected config.json/,
  });
  network.restore();
  network = fakeFetch({ [`GET ${FOLDER}/config.json`]: () => new Response('\n <!doctype html>') });
  await assert.rejects(readJsonFiles(SOURCE, undefined, 'default'), {
    status: 'network',
    message: /HTML page, expected config.json/,
  });
});

test('without a network the texts seen last are used', async () => {
  const cache = new ModelCache(new FakeCache().asCache());
  network = fakeFetch({
    [`GET ${FOLDER}/config.json`]: () => new Response('{"a": 1}'),
    [`GET ${FOLDER}/labels.json`]: () => new Response('["tench"]'),
  });
  await readJsonFiles(SOURCE, cache, 'default');
  network.restore();
  network = fakeFetch({});
  assert.deepEqual(await readJsonFiles(SOURCE, cache, 'default'), {
    config: '{"a": 1}',
    preprocessor: undefined,
    labels: '["tench"]',
  });
});

test('texts and blobs are taken as they are', async () => {
  const texts = await readJsonFiles(
    {
      config: { kind: 'text', text: '{"b": 2}' },
      labels: { kind: 'blob', blob: new Blob(['["hen"]']) },
      weights: SOURCE.weights,
    },
    undefined,
    'default',
  );
  assert.deepEqual(texts, { config: '{"b": 2}', preprocessor: undefined, labels: '["hen"]' });
});
