// The package as it is shipped, imported where there is no browser (server-side rendering).
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { root } from './support/site.js';

test('importing in Node is safe; loading says in words why it is not possible', async () => {
  const built = pathToFileURL(path.join(root, 'web/dist/index.js')).href;
  const { Classifier, VitrineError } = (await import(built)) as typeof import('../../../web/src/index.js');
  await assert.rejects(Classifier.load('https://models.test/tiny'), (error) => {
    assert.ok(error instanceof VitrineError);
    assert.equal(error.status, 'unsupported_browser');
    assert.match(error.message, /in Node/);
    return true;
  });
  await Classifier.clearCache();
  // Node 20 has the symbol, as some browsers do and some do not.
  assert.ok(Symbol.dispose in Classifier.prototype);
  assert.ok(!('undefined' in Classifier.prototype));
});
