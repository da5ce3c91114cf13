// What a release writes, and what it refuses.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { withRelease, withVersion } from '../../scripts/lib/release.mjs';

const root = new URL('../../', import.meta.url);
const read = (name) => fs.readFileSync(new URL(name, root), 'utf8');
const packageJson = '{\n  "name": "a",\n  "version": "1.2.3",\n  "x": { "version": "1.2.3" }\n}\n';

test('only the version of the package changes', () => {
  assert.equal(
    withVersion(packageJson, '1.10.0'),
    '{\n  "name": "a",\n  "version": "1.10.0",\n  "x": { "version": "1.2.3" }\n}\n',
  );
  assert.equal(withVersion(packageJson, '1.2.3'), packageJson);
  assert.throws(() => withVersion(packageJson, '1.2.2'), /lower than the present version, 1\.2\.3/);
  assert.throws(() => withVersion(packageJson, '0.9.9'), /lower/);
  for (const version of [undefined, 'v1.2.4', '1.3', '01.3.0', '1.3.0-beta', '1.3.0\n']) {
    assert.throws(() => withVersion(packageJson, version), /is no version; expected npm run release/);
  }
});

test('what was unreleased gets a heading', () => {
  const before = '# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A.\n\n## [1.2.3] - 2026-01-01\n\n- B.\n';
  assert.equal(
    withRelease(before, '1.3.0', '2026-02-03'),
    '# Changelog\n\n## [Unreleased]\n\n## [1.3.0] - 2026-02-03\n\n### Added\n\n- A.\n\n' +
      '## [1.2.3] - 2026-01-01\n\n- B.\n',
  );
  assert.throws(() => withRelease(before, '1.2.3', '2026-02-03'), /has 1\.2\.3 already/);
  assert.throws(() => withRelease(before.replace('- A.', ''), '1.3.0', ''), /nothing to release/);
  assert.throws(() => withRelease('# Changelog\n', '1.3.0', ''), /no heading/);
});

test('the version stands in web/package.json alone, in the form that a release changes', () => {
  const { version } = JSON.parse(read('web/package.json'));
  assert.match(withVersion(read('web/package.json'), '999.0.0'), /^ {2}"version": "999\.0\.0"/m);
  assert.match(read('CHANGELOG.md'), /\n## \[Unreleased\]\n/);
  for (const name of ['package.json', 'bench/package.json']) {
    assert.equal(JSON.parse(read(name)).version, undefined, name);
  }
  assert.ok(!read('CMakeLists.txt').includes(version));
});
