// What must be on the machine before anything is fetched: named with the command that installs it.
import { execFileSync } from 'node:child_process';
import { Failure, which } from '../lib/run.mjs';

const debian = { cmake: 'cmake', 'c++': 'g++', python3: 'python3', git: 'git', make: 'make' };

export function checkNode() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20)
    throw new Failure(
      `Node ${process.versions.node} is too old; version 20 or newer is needed: https://nodejs.org`,
    );
}

/** What every C++ build needs; fails with the commands that install what is missing. */
export function checkCompiler() {
  const problems = [];
  const missing = ['cmake', 'python3', 'git'].filter((name) => !which(name));
  if (!which('c++') && !which('g++') && !which('clang++')) missing.push('c++');
  if (!which('ninja') && !which('make')) missing.push('make');
  if (missing.length > 0)
    problems.push(`Missing: ${missing.join(', ')}. Install with:\n  ${installCommand(missing)}`);

  if (which('cmake')) {
    const version = /(\d+)\.(\d+)/.exec(execFileSync('cmake', ['--version'], { encoding: 'utf8' }));
    if (version && Number(version[1]) === 3 && Number(version[2]) < 25) {
      problems.push(`CMake ${version[0]} is too old; 3.25 or newer is needed: https://cmake.org/download`);
    }
  }
  if (problems.length > 0) throw new Failure(problems.join('\n'));
}

function installCommand(missing) {
  if (which('apt-get')) return `sudo apt-get install ${missing.map((name) => debian[name]).join(' ')}`;
  if (which('dnf'))
    return `sudo dnf install ${missing.map((name) => (name === 'c++' ? 'gcc-c++' : name)).join(' ')}`;
  if (which('pacman'))
    return `sudo pacman -S ${missing.map((name) => (name === 'c++' ? 'gcc' : name === 'python3' ? 'python' : name)).join(' ')}`;
  if (process.platform === 'darwin') {
    const brew = missing.filter((name) => name !== 'c++' && name !== 'make' && name !== 'git');
    return ['xcode-select --install', brew.length > 0 ? `brew install ${brew.join(' ')}` : '']
      .filter(Boolean)
      .join(' && ');
  }
  return `your system's package manager: ${missing.join(' ')}`;
}
