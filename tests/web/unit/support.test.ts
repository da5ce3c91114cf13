import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chooseThreads, detectSimd, requireBrowser } from '../../../web/src/page/support.js';

test('detects relaxed SIMD, else SIMD, by modules that engines know', (t) => {
  const real = WebAssembly.validate;
  assert.match(detectSimd(), /^(relaxed|simd)$/);
  const asked: BufferSource[] = [];
  let known = [false, true];
  t.mock.method(WebAssembly, 'validate', (bytes: BufferSource) => {
    asked.push(bytes);
    return known.shift();
  });
  assert.equal(detectSimd(), 'simd');
  assert.ok(real(asked[1]!), 'the SIMD module is well-formed (the relaxed one: see tests/web/browser)');
  known = [true];
  assert.equal(detectSimd(), 'relaxed');
});

test('a browser without SIMD is refused in words', (t) => {
  t.mock.method(WebAssembly, 'validate', () => false);
  assert.throws(detectSimd, { status: 'unsupported_browser', message: /no WebAssembly SIMD; use Chrome/ });
});

test('threads: the cores, at most 4; one without isolation, and it says why', () => {
  const isolated = { crossOriginIsolated: true, cores: 16 };
  assert.equal(chooseThreads(undefined, isolated).threads, 4);
  assert.equal(chooseThreads(undefined, { ...isolated, cores: 2 }).threads, 2);
  assert.equal(chooseThreads(8, isolated).threads, 8);
  const alone = chooseThreads(8, { crossOriginIsolated: false, cores: 16 });
  assert.equal(alone.threads, 1);
  assert.match(alone.reason, /not cross-origin isolated.*Cross-Origin-Opener-Policy/);
});

test('Node is told that it is no browser', () => {
  assert.throws(requireBrowser, { status: 'unsupported_browser', message: /no Worker here/ });
});
