// `npm run setup -- [NEED...]`: fetches what builds, tests and linters need (everything but a browser when
// none is named). Downloads go to a cache per user and are done once.
import fs from 'node:fs';
import path from 'node:path';
import { buildDir } from './lib/paths.mjs';
import { Failure, main, step } from './lib/run.mjs';
import { setupChromium } from './setup/chromium.mjs';
import { setupNpm } from './setup/npm.mjs';
import { checkCompiler, checkNode } from './setup/prerequisites.mjs';
import { setupSources } from './setup/sources.mjs';
import { setupEmscripten, setupLlvm } from './setup/toolchain.mjs';

/** What a task can need, in the order in which it is set up. */
const needs = {
  npm: () => setupNpm(),
  // A C++ compiler and the dependencies' sources.
  cpp: async () => {
    checkCompiler();
    const sources = Object.entries(await setupSources());
    tellCMake(
      'sources',
      sources.map(([name, folder]) => [`FETCHCONTENT_SOURCE_DIR_${name.toUpperCase()}`, folder]),
    );
  },
  llvm: async () => {
    const folder = await setupLlvm();
    tellCMake('llvm', folder ? [['VITRINE_LLVM', folder]] : []);
    return folder;
  },
  emscripten: async () => tellCMake('emscripten', [['VITRINE_EMSCRIPTEN', await setupEmscripten()]]),
  chromium: () => setupChromium(),
};

const done = new Map();

/** Sets up each of `wanted`, once. Resolves to {llvm, chromium}: paths, where they were wanted. */
export async function setup(wanted) {
  checkNode();
  const unknown = wanted.find((name) => !(name in needs));
  if (unknown)
    throw new Failure(`${unknown} cannot be set up; the needs are ${Object.keys(needs).join(', ')}`);
  for (const [name, work] of Object.entries(needs)) {
    if (wanted.includes(name) && !done.has(name)) done.set(name, await work());
  }
  return Object.fromEntries(done);
}

/** Writes build/setup/NAME.cmake, where CMake finds what was fetched. */
function tellCMake(name, variables) {
  const lines = variables.map(([variable, value]) => `set(${variable} "${value}")\n`);
  const text = `# Written by scripts/setup.mjs.\n${lines.join('')}`;
  const file = path.join(buildDir, 'setup', `${name}.cmake`);
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

if (process.argv[1] === import.meta.filename) {
  const named = process.argv.slice(2);
  const wanted = named.length > 0 ? named : Object.keys(needs).filter((name) => name !== 'chromium');
  await main(() => step('Set-up', () => setup(wanted)));
}
