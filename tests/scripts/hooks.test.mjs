// Installing the hooks leaves alone what is not ours.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { git, installHooks } from '../../scripts/install-hooks.mjs';

const skip = git('.', '--version') === null && 'git is not installed';
const work = fs.mkdtempSync(path.join(os.tmpdir(), 'vitrine-hooks-'));
after(() => fs.rmSync(work, { recursive: true }));
// Neither the configuration of whoever runs the tests, nor a checkout whose hook runs them.
for (const name of Object.keys(process.env)) if (name.startsWith('GIT_')) delete process.env[name];
Object.assign(process.env, { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' });

function repository(name) {
  const folder = path.join(work, name);
  fs.mkdirSync(folder);
  git(folder, 'init', '--quiet');
  return folder;
}

test('a fresh checkout gets the hooks, once', { skip }, () => {
  const folder = repository('fresh');
  assert.match(installHooks(folder), /formatted from now on/);
  assert.equal(git(folder, 'config', 'core.hooksPath'), 'scripts/hooks');
  assert.match(installHooks(folder), /already/);
});

test("a person's own hooks stay", { skip }, () => {
  const configured = repository('configured');
  git(configured, 'config', 'core.hooksPath', 'mine');
  assert.match(installHooks(configured), /core\.hooksPath is mine/);
  assert.equal(git(configured, 'config', 'core.hooksPath'), 'mine');

  const own = repository('own');
  fs.mkdirSync(path.join(own, '.git/hooks'), { recursive: true });
  fs.writeFileSync(path.join(own, '.git/hooks/pre-commit'), '');
  assert.match(installHooks(own), /pre-commit in .* is your own/);
  assert.equal(git(own, 'config', 'core.hooksPath'), null);
});

test('no checkout, no hooks', { skip }, () => {
  const outer = repository('outer');
  const copy = path.join(outer, 'copy');
  fs.mkdirSync(copy);
  assert.match(installHooks(copy), /no git checkout/);
  assert.equal(git(outer, 'config', 'core.hooksPath'), null);
});
