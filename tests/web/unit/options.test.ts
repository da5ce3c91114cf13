import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Classifier } from '../../../web/src/index.js';
import { checkLoadOptions, runSettings } from '../../../web/src/page/options.js';

const invalid = (message: RegExp) => ({ name: 'VitrineError', status: 'invalid_argument', message });

test('threads: a whole number from 1 to 64, refused before anything starts', async () => {
  for (const threads of [1, 2, 64]) checkLoadOptions({ threads });
  for (const threads of [0, -1, 1.5, NaN, Infinity, 65, 1_000_000, '4', null]) {
    // In Node, where a worker could not even start.
    const load = Classifier.load('m', { threads: threads as number });
    await assert.rejects(load, invalid(/^threads: .+, expected an integer from 1 to 64$/));
  }
});

test('simd and cache: one of their names', () => {
  checkLoadOptions({ simd: 'relaxed', cache: 'no-store' });
  const refused = (options: object, words: RegExp) =>
    assert.throws(() => checkLoadOptions(options), invalid(words));
  refused({ simd: 'sse' }, /^simd: 'sse', expected 'relaxed' or 'simd'$/);
  refused({ simd: true }, /^simd: boolean, expected/);
  refused({ cache: 'no-cache' }, /^cache: 'no-cache', expected 'default' or 'reload' or 'no-store'$/);
});

test('alpha and topK have defaults, and are checked', () => {
  assert.deepEqual(runSettings({}), { alpha: 'white', topK: 5 });
  assert.deepEqual(runSettings({ alpha: 'drop', topK: 1 }), { alpha: 'drop', topK: 1 });
  assert.throws(() => runSettings({ alpha: 'black' as 'white' }), invalid(/^alpha: 'black', expected/));
  for (const topK of [0, -1, 2.5, NaN]) {
    assert.throws(() => runSettings({ topK }), invalid(/^topK: .+, expected an integer of at least 1$/));
  }
});
