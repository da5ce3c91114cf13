// `npm run setup`: fetches what the builds need. Downloads go to a cache per user and are done once.
import fs from 'node:fs';
import path from 'node:path';
import { buildDir } from './lib/paths.mjs';
import { main, step } from './lib/run.mjs';
import { checkPrerequisites } from './setup/prerequisites.mjs';
import { setupNpm } from './setup/npm.mjs';
import { setupSources } from './setup/sources.mjs';
import { presentToolchain, setupToolchain } from './setup/toolchain.mjs';

/**
 * Makes everything ready to build. `toolchain: false` leaves Emscripten and LLVM out, which the native
 * build does not need. Writes build/setup.cmake, where CMake finds what was fetched.
 */
export async function setup({ toolchain = true } = {}) {
  checkPrerequisites();
  if (toolchain) await setupNpm();
  const sources = await setupSources();
  const tools = toolchain ? await setupToolchain() : presentToolchain();
  const lines = ['# Written by scripts/setup.mjs.'];
  for (const [name, folder] of Object.entries(sources)) {
    lines.push(`set(FETCHCONTENT_SOURCE_DIR_${name.toUpperCase()} "${folder}")`);
  }
  if (tools.emscripten) lines.push(`set(VITRINE_EMSCRIPTEN "${tools.emscripten}")`);
  if (tools.llvm) lines.push(`set(VITRINE_LLVM "${tools.llvm}")`);
  writeIfChanged(path.join(buildDir, 'setup.cmake'), `${lines.join('\n')}\n`);
  return tools;
}

function writeIfChanged(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return;
  fs.writeFileSync(file, text);
}

if (process.argv[1] === import.meta.filename) await main(() => step('Set-up', () => setup()));
