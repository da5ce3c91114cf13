// What C++ and TypeScript must say alike, held against the C++ sources.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

import { CORE_STATUSES } from '../../../web/src/shared/errors.js';
import { MAX_THREADS } from '../../../web/src/shared/limits.js';
import { SIGNATURES } from '../../../web/src/worker/picture.js';

/** All sources of a folder of the core, one after the other. */
function sources(folder: string): string {
  const root = path.join(process.cwd(), 'core', folder);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => readFileSync(path.join(root, name), 'utf8'))
    .join('\n');
}

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found!);

test('the page allows as many threads as the core does', () => {
  assert.deepEqual(all(sources('include/vitrine'), /\bkMaxThreads = (\d+);/g), [String(MAX_THREADS)]);
});

test('every status of the core has its name here', () => {
  const names = all(readFileSync('core/src/base/error.cc', 'utf8'), /return "([a-z_]+)";/g).filter(
    (name) => name !== 'ok',
  );
  assert.deepEqual(names.sort(), [...CORE_STATUSES].sort());
  const values = all(readFileSync('core/include/vitrine/error.h', 'utf8'), /^ {2}k(\w+) = \d+,/gm);
  const snake = (name: string) => name.replace(/(?!^)[A-Z]/g, (c) => `_${c}`).toLowerCase();
  assert.deepEqual(values.map(snake).sort(), [...CORE_STATUSES, 'ok'].sort());
});

test('the core writes every key of CoreInfo', () => {
  const types = readFileSync('web/src/shared/types.ts', 'utf8');
  const body = /interface CoreInfo \{([^]*?)\n\}/.exec(types)![1]!;
  const keys = all(body.replace(/\/\*\*[^]*?\*\//g, ''), /(\w+):/g);
  assert.ok(keys.length >= 20);
  const written = new Set(all(sources('src/model'), /(?:Key\(|WriteNumbers\(json, )"(\w+)"/g));
  assert.deepEqual(
    keys.filter((key) => !written.has(key)),
    [],
  );
});

test('every format that the core decodes is known by its first bytes', () => {
  const formats = new Set(all(sources('src/image'), /"(image\/[a-z]+)"/g));
  assert.deepEqual([...formats].sort(), Object.keys(SIGNATURES).sort());
});
