import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resolveSource } from '../../../web/src/page/source.js';

const BASE = 'https://page.test/app/index.html';

/** A file of a folder picker. */
function file(path: string): File {
  const result = new File(['{}'], path.slice(path.lastIndexOf('/') + 1));
  return Object.assign(result, { webkitRelativePath: path.includes('/') ? path : '' });
}

const refused = (source: unknown, status: string, words: RegExp) =>
  assert.throws(() => resolveSource(source as string, undefined, BASE), {
    name: 'VitrineError',
    status,
    message: words,
  });

test('a folder URL, with or without a slash, relative to the page, with its query', () => {
  for (const folder of ['models/tiny', 'models/tiny/', new URL('https://page.test/app/models/tiny/')]) {
    const { message } = resolveSource(folder, undefined, BASE);
    assert.deepEqual(message, {
      config: { kind: 'url', url: 'https://page.test/app/models/tiny/config.json', optional: false },
      preprocessor: {
        kind: 'url',
        url: 'https://page.test/app/models/tiny/preprocessor_config.json',
        optional: true,
      },
      labels: { kind: 'url', url: 'https://page.test/app/models/tiny/labels.json', optional: true },
      weights: { kind: 'url', url: 'https://page.test/app/models/tiny/model.safetensors' },
    });
  }
  const { message } = resolveSource('/m?token=1', undefined, BASE);
  assert.deepEqual(message.weights, { kind: 'url', url: 'https://page.test/m/model.safetensors?token=1' });
});

test('files of a folder picker: the model of the topmost config.json', () => {
  const files = [
    'm/readme.md',
    'm/config.json',
    'm/model.safetensors',
    'm/labels.json',
    'm/onnx/config.json',
  ].map(file);
  const { message } = resolveSource(files, undefined, BASE);
  assert.deepEqual(message, {
    config: { kind: 'blob', blob: files[1] },
    preprocessor: undefined,
    labels: { kind: 'blob', blob: files[3] },
    weights: { kind: 'blob', blob: files[2] },
  });
});

test('dropped files have no folder; the only .safetensors file is the weights', () => {
  const files = ['config.json', 'tiny.safetensors'].map(file);
  assert.deepEqual(resolveSource(files, undefined, BASE).message.weights, { kind: 'blob', blob: files[1] });
});

test('folders that hold no model say what is missing', () => {
  refused([], 'invalid_argument', /no config.json among the files \(found no files\)/);
  refused([file('cat.jpg')], 'invalid_argument', /no config.json among the files \(found cat.jpg\)/);
  refused([file('config.json')], 'invalid_argument', /no model.safetensors/);
  refused(
    [file('config.json'), file('pytorch_model.bin')],
    'unsupported',
    /in pytorch_model.bin, expected model.safetensors/,
  );
  refused(
    [file('config.json'), file('model-00001-of-00002.safetensors'), file('model-00002-of-00002.safetensors')],
    'unsupported',
    /split over several files/,
  );
  refused(
    [file('a/config.json'), file('b/config.json')],
    'invalid_argument',
    /several models \(a\/config.json, b\/config.json/,
  );
});

test('parts: URLs, text, objects and blobs; bytes of the caller stay untouched', () => {
  const weights = new Uint8Array([1, 2, 3]);
  const { message, transfer } = resolveSource(
    { config: { num_classes: 3 }, weights, labels: ['a', 'b', 'c'], preprocessor: 'p.json' },
    undefined,
    BASE,
  );
  assert.deepEqual(message.config, { kind: 'text', text: '{"num_classes":3}' });
  assert.deepEqual(message.labels, { kind: 'text', text: '["a","b","c"]' });
  assert.deepEqual(message.preprocessor, {
    kind: 'url',
    url: 'https://page.test/app/p.json',
    optional: false,
  });
  assert.equal(message.weights.kind, 'blob');
  assert.deepEqual(transfer, []);
  assert.equal(weights.byteLength, 3);
});

test('parts: streams and responses are handed over', () => {
  const stream = new ReadableStream<Uint8Array>();
  assert.deepEqual(resolveSource({ config: '{}', weights: stream }, undefined, BASE).transfer, [stream]);
  const response = new Response('x');
  assert.deepEqual(resolveSource({ config: '{}', weights: response }, undefined, BASE).transfer, [
    response.body,
  ]);
  refused({ config: '{}', weights: new Response('', { status: 500 }) }, 'network', /HTTP 500/);
  stream.getReader();
  refused({ config: '{}', weights: stream }, 'invalid_argument', /being read already/);
});

test('the labels option wins over the model’s own', () => {
  const { message } = resolveSource('m', { 0: 'tench' }, BASE);
  assert.deepEqual(message.labels, { kind: 'text', text: '{"0":"tench"}' });
});

test('what is no source is refused in words', () => {
  refused(undefined, 'invalid_argument', /model source: undefined, expected the URL/);
  refused(42, 'invalid_argument', /model source: number/);
  refused({ config: '{}' }, 'invalid_argument', /model source: Object/);
  refused({ config: '{}', weights: 7 }, 'invalid_argument', /weights: number, expected/);
  refused('http://', 'invalid_argument', /'http:\/\/' is not a URL/);
});
