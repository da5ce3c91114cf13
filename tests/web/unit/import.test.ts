// The package as it is shipped, imported where there is no browser (server-side rendering).
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const built = 'web/dist/index.js';

test(
  'importing in Node is safe; loading says in words why it is not possible',
  { skip: !existsSync(built) && `no ${built}` },
  async () => {
    const { Classifier, VitrineError } = (await import(
      pathToFileURL(built).href
    )) as typeof import('../../../web/src/index.js');
    await assert.rejects(
      Classifier.load('https://models.test/tiny'),
      (error) =>
        error instanceof VitrineError &&
        error.status === 'unsupported_browser' &&
        /in Node/.test(error.message),
    );
    await Classifier.clearCache();
    if (Symbol.dispose) assert.ok(Symbol.dispose in Classifier.prototype);
    assert.ok(!('undefined' in Classifier.prototype));
  },
);
