// Emscripten and LLVM 19 (clang, clang-format, clang-tidy, sanitizer runtimes).
//
// An Emscripten on PATH or in EMSDK is used when it is new enough. Otherwise, on Debian and its like,
// Emscripten 3.1.69 and LLVM 19 come from Debian 13's archive, unpacked into the cache without root.
// Those programs need Debian 13's C library: small wrappers start each through that library's loader.
import fs from 'node:fs';
import path from 'node:path';
import { debianObstacle, downloadPackages } from '../lib/debian.mjs';
import { cacheDir, root } from '../lib/paths.mjs';
import { Failure, run, step, which } from '../lib/run.mjs';
import { setupNpm } from './npm.mjs';

const oldestEmscripten = [3, 1, 60];
// The last part counts the changes of this file's recipe.
const tree = path.join(cacheDir, 'debian13-emscripten-3.1.69-r1');

// Programs and the libraries they load; nothing of Python, node or gcc.
const packages = [
  'emscripten binaryen clang-19 lld-19 llvm-19 llvm-19-linker-tools libclang-common-19-dev',
  'clang-format-19 clang-tidy-19 libclang-rt-19-dev libclang-cpp19 libllvm19',
  'libbsd0 libc6 libedit2 libffi8 libgcc-s1 liblzma5 libmd0 libstdc++6 libtinfo6 libxml2 libz3-4',
  'libzstd1 zlib1g',
].flatMap((line) => line.split(' '));

// Parts of the Emscripten package that no build of ours reads (1.2 GB of 1.6).
const unused = [
  './usr/share/doc',
  './usr/share/emscripten/test',
  './usr/share/emscripten/docs',
  '*/wasm32-emscripten/lto',
  '*/wasm32-emscripten/lib*-ww*',
  '*/wasm32-emscripten/*asan*',
  '*/wasm32-emscripten/*tracing*',
  '*/wasm32-emscripten/libwasmfs*',
  '*/wasm32-emscripten/libGL-emu*',
  '*/wasm32-emscripten/libGL-mt-emu*',
];

const llvmPrograms = [
  'clang clang++ wasm-ld ld.lld llvm-ar llvm-nm llvm-ranlib llvm-objcopy llvm-strip llvm-dwarfdump',
  'llvm-dwp llvm-symbolizer clang-format clang-tidy llvm-cxxfilt',
].flatMap((line) => line.split(' '));

/** Finds or fetches Emscripten; returns the folder of emcc. */
export async function setupEmscripten() {
  const found = await findEmscripten();
  if (found) return found;
  const obstacle = fs.existsSync(tree) ? null : debianObstacle();
  if (obstacle) {
    throw new Failure(
      `Emscripten ${oldestEmscripten.join('.')} or newer is needed and cannot be fetched here (${obstacle}).\n` +
        'Install it: https://emscripten.org/docs/getting_started/downloads.html' +
        (process.platform === 'darwin' ? ' or `brew install emscripten`' : '') +
        '\nthen put emcc on PATH or set EMSDK, and start again.',
    );
  }
  await debianToolchain();
  return path.join(tree, 'usr/share/emscripten');
}

/**
 * Fetches LLVM 19, where Debian's archive can be had in one piece with Emscripten; returns the folder of
 * its programs, or null where those on PATH have to do.
 */
export async function setupLlvm() {
  if (!fs.existsSync(tree) && debianObstacle()) {
    const missing = ['clang++', 'clang-format', 'clang-tidy'].filter((name) => !which(name));
    if (missing.length === 0) return null;
    throw new Failure(`${missing.join(', ')} not found: install LLVM 19 and put its programs on PATH`);
  }
  await debianToolchain();
  return path.join(tree, 'bin');
}

/** The clang-format of an earlier set-up, or one on PATH that formats as it does; null without. */
export async function presentClangFormat() {
  if (fs.existsSync(tree)) return path.join(tree, 'bin/clang-format');
  for (const name of ['clang-format-19', 'clang-format']) {
    const found = which(name);
    if (found && / version (19|[2-9]\d)\./.test(await run(found, ['--version']))) return found;
  }
  return null;
}

/** The folder of a usable emcc from EMSDK or PATH, or null. */
async function findEmscripten() {
  const emsdk = process.env.EMSDK && path.join(process.env.EMSDK, 'upstream/emscripten/emcc');
  for (const emcc of [emsdk, which('emcc')]) {
    if (!emcc || !fs.existsSync(emcc)) continue;
    const version = /\b(\d+)\.(\d+)\.(\d+)/.exec(await run(emcc, ['--version']).catch(() => ''));
    const parts = version?.slice(1).map(Number) ?? [0, 0, 0];
    const order =
      parts[0] - oldestEmscripten[0] || parts[1] - oldestEmscripten[1] || parts[2] - oldestEmscripten[2];
    if (order >= 0) return path.dirname(fs.realpathSync(emcc));
    console.log(
      `  ${emcc} is ${version?.[0] ?? 'of unknown version'}; ${oldestEmscripten.join('.')} or newer is needed`,
    );
  }
  return null;
}

/** Unpacks Debian 13's Emscripten and LLVM into the cache, once. */
async function debianToolchain() {
  if (fs.existsSync(tree)) return;
  await setupNpm(); // for acorn, which Emscripten loads
  // Everything is made ready under another name, so that an interrupted set-up leaves no half tree.
  const work = `${tree}.${process.pid}.partial`;
  fs.rmSync(work, { recursive: true, force: true });
  const downloads = path.join(work, 'downloads');
  const files = await step('Downloading Emscripten and LLVM 19 (350 MB)', () =>
    downloadPackages(packages, downloads),
  );
  await step('Unpacking them', async () => {
    const unpack = 'deb=$1; dir=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" "$@"';
    const excludes = unused.map((pattern) => `--exclude=${pattern}`);
    for (const file of files) await run('sh', ['-c', unpack, 'sh', file, work, ...excludes]);
    fs.rmSync(downloads, { recursive: true });
    addWrappers(work);
    fs.cpSync(
      path.join(root, 'node_modules/acorn'),
      path.join(work, 'usr/share/emscripten/node_modules/acorn'),
      {
        recursive: true,
      },
    );
  });
  fs.renameSync(work, tree);
}

/** Makes bin/ with a starter for each program, and tells Emscripten to use it. `work` will become `tree`. */
function addWrappers(work) {
  const triplet = fs.existsSync(path.join(work, 'usr/lib/aarch64-linux-gnu'))
    ? 'aarch64-linux-gnu'
    : 'x86_64-linux-gnu';
  const loader = triplet.startsWith('aarch64') ? 'ld-linux-aarch64.so.1' : 'ld-linux-x86-64.so.2';
  const llvmBin = 'usr/lib/llvm-19/bin';
  // clang finds its own headers relative to the running program, and that is the loader.
  for (const folder of [llvmBin, 'usr/bin']) {
    fs.copyFileSync(path.join(work, 'usr/lib', triplet, loader), path.join(work, folder, loader));
    fs.chmodSync(path.join(work, folder, loader), 0o755);
  }
  const libraries = `${tree}/usr/lib/${triplet}:${tree}/usr/lib/llvm-19/lib`;
  fs.mkdirSync(path.join(work, 'bin'));
  const wrap = (name, folder) =>
    fs.writeFileSync(
      path.join(work, 'bin', name),
      `#!/bin/sh\nexec ${tree}/${folder}/${loader} --argv0 ${tree}/${folder}/${name} ` +
        `--library-path ${libraries} ${tree}/${folder}/${name} "$@"\n`,
      { mode: 0o755 },
    );
  for (const name of llvmPrograms) wrap(name, llvmBin);
  for (const name of fs.readdirSync(path.join(work, 'usr/bin'))) {
    if (name.startsWith('wasm-') && !name.endsWith('-19')) wrap(name, 'usr/bin');
  }
  fs.mkdirSync(path.join(work, 'binaryen'));
  fs.symlinkSync('../bin', path.join(work, 'binaryen/bin'));
  fs.writeFileSync(
    path.join(work, 'usr/share/emscripten/.emscripten'),
    `LLVM_ROOT = '${tree}/bin'\nBINARYEN_ROOT = '${tree}/binaryen'\nNODE_JS = '${process.execPath}'\nFROZEN_CACHE = True\n`,
  );
}
