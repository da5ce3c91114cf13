// The npm packages that the scripts, the linters and the web build use.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { root } from '../lib/paths.mjs';
import { run, step } from '../lib/run.mjs';

/** Runs `npm ci` unless node_modules was made from the present package-lock.json. */
export async function setupNpm() {
  const lock = fs.readFileSync(path.join(root, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).digest('hex');
  const stamp = path.join(root, 'node_modules/.vitrine-lock');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return;
  await step('Installing npm packages', () =>
    run('npm', ['ci', '--no-audit', '--no-fund'], { log: 'npm-ci' }),
  );
  fs.writeFileSync(stamp, wanted);
}
