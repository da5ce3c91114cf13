// `npm run lint`: formatting and static checks of the C++ and TypeScript; `npm run format` mends formatting.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { configurePreset } from './lib/cmake.mjs';
import { isCpp } from './lib/format.mjs';
import { root } from './lib/paths.mjs';
import { checkRooms } from './lib/rooms.mjs';
import { Failure, main, run, seconds } from './lib/run.mjs';
import { setup } from './setup.mjs';

const fix = process.argv.includes('--fix');

/** The C++ files under our own folders, relative to the repository. */
function cppFiles(folders) {
  return folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true })
      .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/')))
      .filter(isCpp),
  );
}

function checkWalls() {
  const names = cppFiles(['core/include', 'core/src', 'cli']);
  const problems = checkRooms(
    Object.fromEntries(names.map((name) => [name, fs.readFileSync(path.join(root, name), 'utf8')])),
  );
  if (problems.length > 0) throw new Failure(problems.join('\n'));
}

const npx = (...args) => run('npx', ['--no-install', ...args]);

/** Runs `work` on every item, a few at a time; fails with all messages together. */
async function inParallel(items, work) {
  const failures = [];
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      await work(item).catch((error) => failures.push(error.message));
    }
  };
  await Promise.all(Array.from({ length: os.availableParallelism() }, lane));
  if (failures.length > 0) throw new Failure(failures.join('\n'));
}

async function clangTidy(llvm) {
  const folder = await configurePreset('clang');
  const files = cppFiles(['core', 'cli', 'wasm']).filter((name) => name.endsWith('.cc'));
  const program = llvm ? path.join(llvm, 'clang-tidy') : 'clang-tidy';
  await inParallel(files, (file) => run(program, ['-p', folder, '--quiet', '--warnings-as-errors=*', file]));
}

await main(async () => {
  // clang-tidy reads the dependencies' headers; formatting needs none.
  const { llvm } = await setup(fix ? ['npm', 'llvm'] : ['npm', 'cpp', 'llvm']);
  const clangFormat = llvm ? path.join(llvm, 'clang-format') : 'clang-format';
  const formatted = cppFiles(['core', 'cli', 'wasm', 'tests']);
  const projects = ['web/tsconfig.json', 'web/src/worker/tsconfig.json', 'tests/web/tsconfig.json'];

  const checks = fix
    ? {
        'clang-format': () => run(clangFormat, ['-i', ...formatted]),
        prettier: () => npx('prettier', '--log-level', 'warn', '--write', '.'),
      }
    : {
        'clang-format': () => run(clangFormat, ['--dry-run', '-Werror', ...formatted]),
        prettier: () => npx('prettier', '--log-level', 'warn', '--check', '.'),
        rooms: checkWalls,
        eslint: () => npx('eslint', '.'),
        tsc: () => inParallel(projects, (project) => npx('tsc', '-p', project, '--noEmit')),
        'clang-tidy': () => clangTidy(llvm),
      };
  const failed = [];
  for (const [name, check] of Object.entries(checks)) {
    const start = performance.now();
    try {
      await check();
      console.log(`✓ ${name} (${seconds(performance.now() - start)})`);
    } catch (error) {
      failed.push(name);
      console.error(`✗ ${name}\n${error.message}\n`);
    }
  }
  if (failed.length > 0)
    throw new Failure(`${failed.join(', ')} found something; formatting is mended by npm run format`);
});
