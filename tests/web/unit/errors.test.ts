import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromWire, toWire, VitrineError } from '../../../web/src/shared/errors.js';

test('a VitrineError crosses to the page as it is', () => {
  const wire = toWire(new VitrineError('invalid_config', 'depth: 0, expected at least 1'));
  assert.deepEqual(wire, { status: 'invalid_config', message: 'depth: 0, expected at least 1' });
  const error = fromWire(wire);
  assert.ok(error instanceof VitrineError && error instanceof Error);
  assert.equal(error.name, 'VitrineError');
});

test('what the browser throws gets a status', () => {
  assert.equal(
    toWire(new RangeError('WebAssembly.Memory(): could not allocate memory')).status,
    'out_of_memory',
  );
  assert.equal(toWire(new RangeError('Array buffer allocation failed')).status, 'out_of_memory');
  const trap = toWire(new WebAssembly.RuntimeError('unreachable'));
  assert.deepEqual(trap, {
    status: 'internal',
    message: 'unexpected RuntimeError: unreachable; please report this',
  });
  assert.equal(toWire('text').status, 'internal');
});
