// `npm install` ends with this: lets git run scripts/hooks in this checkout. It keeps away from anyone's own
// hooks, and from everything that is no checkout (an unpacked archive, a copy inside another repository).
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');

/** Standard output of git, or null where git fails or is not there. */
export function git(folder, ...args) {
  try {
    const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    return execFileSync('git', args, options).trim();
  } catch {
    return null;
  }
}

/** Sets core.hooksPath of the checkout at `folder`; returns what was done, in words. */
export function installHooks(folder) {
  const top = git(folder, 'rev-parse', '--show-toplevel');
  if (!top || fs.realpathSync(top) !== fs.realpathSync(folder)) return 'no git checkout: no hooks';
  const configured = git(folder, 'config', 'core.hooksPath');
  if (configured) return `core.hooksPath is ${configured} already`;
  const own = path.resolve(folder, git(folder, 'rev-parse', '--git-path', 'hooks'));
  const names = fs.existsSync(own) ? fs.readdirSync(own).filter((name) => !name.endsWith('.sample')) : [];
  if (names.length > 0) return `${names[0]} in ${own} is your own: call scripts/hooks/pre-commit from there`;
  if (git(folder, 'config', 'core.hooksPath', 'scripts/hooks') === null) return 'git took no hooks';
  return 'commits are formatted from now on (scripts/hooks)';
}

if (process.argv[1] === import.meta.filename && !process.env.CI) console.log(installHooks(root));
