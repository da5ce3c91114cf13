// Building the npm package web/dist and the demo build/demo.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { buildPreset } from './cmake.mjs';
import { buildDir, root } from './paths.mjs';
import { Failure, run, step } from './run.mjs';

export const variants = ['relaxed', 'simd'];
const dist = path.join(root, 'web/dist');
const demo = path.join(buildDir, 'demo');

/** The promise: JavaScript and WebAssembly of one variant, compressed by brotli 11. */
const budget = 150_000;

/** Builds both WebAssembly variants, the package and the demo; with `types`, checks and declares types. */
export async function buildWeb({ types = true } = {}) {
  for (const variant of variants) await buildPreset(`wasm-${variant}`, ['vitrine_web']);
  const stamp = path.join(dist, '.built');
  if (!isStale(stamp, types)) return;
  await step('Building the web package and the demo', async () => {
    fs.rmSync(dist, { recursive: true, force: true });
    fs.rmSync(demo, { recursive: true, force: true });
    const tsc = types
      ? run('npx', ['--no-install', 'tsc', '-p', 'web/tsconfig.build.json'], { log: 'tsc' })
      : null;
    const wasm = variants.map((variant) => copyWasm(variant));
    await Promise.all([bundlePackage(), bundleDemo(), ...wasm, tsc]);
  });
  fs.writeFileSync(stamp, types ? 'types' : '');
}

/** Whether a source is newer than the last build, or that build had no types and some are wanted now. */
function isStale(stamp, types) {
  if (!fs.existsSync(stamp) || (types && fs.readFileSync(stamp, 'utf8') === '')) return true;
  const built = fs.statSync(stamp).mtimeMs;
  const sources = [
    ...['web/src', 'web/demo'].flatMap((folder) => filesUnder(path.join(root, folder))),
    ...fs.readdirSync(path.join(root, 'web')).map((name) => path.join(root, 'web', name)),
    ...variants.map((variant) => path.join(buildDir, `wasm-${variant}/core-${variant}.wasm`)),
    path.join(root, 'scripts/lib/web.mjs'),
  ];
  return sources.some((file) => fs.statSync(file).isFile() && fs.statSync(file).mtimeMs > built);
}

const filesUnder = (folder) =>
  fs
    .readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));

const common = { bundle: true, format: 'esm', target: 'es2022', minify: true, logLevel: 'warning' };

async function bundlePackage() {
  const esbuild = await import('esbuild');
  const options = { ...common, sourcemap: true };
  await esbuild.build({
    ...options,
    entryPoints: [path.join(root, 'web/src/index.ts')],
    outfile: path.join(dist, 'index.js'),
  });
  await esbuild.build({
    ...options,
    entryPoints: [path.join(root, 'web/src/worker/worker.ts')],
    outfile: path.join(dist, 'worker.js'),
    external: variants.map((variant) => `./core-${variant}.js`),
  });
}

async function bundleDemo() {
  const esbuild = await import('esbuild');
  await esbuild.build({
    ...common,
    entryPoints: [path.join(root, 'web/demo/demo.ts')],
    outfile: path.join(demo, 'demo.js'),
    // The demo takes the package as any page would: as built, beside it.
    alias: { vitrine: './vitrine/index.js' },
    external: ['./vitrine/index.js'],
  });
  fs.cpSync(path.join(root, 'web/demo'), demo, {
    recursive: true,
    filter: (name) => !name.endsWith('.ts'),
  });
}

/** Copies a variant's wasm as it is, and its JavaScript minified once more. */
async function copyWasm(variant) {
  const esbuild = await import('esbuild');
  const from = path.join(buildDir, `wasm-${variant}/core-${variant}`);
  const glue = withStaticWorkerOptions(fs.readFileSync(`${from}.js`, 'utf8'), `${from}.js`);
  const { code } = await esbuild.transform(glue, { format: 'esm', target: common.target, minify: true });
  fs.mkdirSync(dist, { recursive: true });
  fs.writeFileSync(path.join(dist, `core-${variant}.js`), code);
  fs.copyFileSync(`${from}.wasm`, path.join(dist, `core-${variant}.wasm`));
}

/** Writes the options of Emscripten's thread workers where bundlers that follow workers look for them. */
function withStaticWorkerOptions(glue, name) {
  const options = /var workerOptions=(\{[^}]*\});/;
  const [statement, value] = options.exec(glue) ?? [];
  if (!glue.includes('import.meta.url),workerOptions)')) {
    throw new Failure(`${name}: no workerOptions; does this Emscripten start its threads in another way?`);
  }
  return glue.replace(statement, '').replace(',workerOptions)', `,${value})`);
}

/** Prints what a page downloads for each variant, and fails when that is over the budget. */
export function checkSizes() {
  const sizes = new Map();
  const size = (name) => {
    if (!sizes.has(name)) {
      const bytes = fs.readFileSync(path.join(dist, name));
      const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_LGWIN]: 24 };
      sizes.set(name, { raw: bytes.length, brotli: zlib.brotliCompressSync(bytes, { params }).length });
    }
    return sizes.get(name);
  };
  const row = (name, { raw, brotli }) =>
    console.log(`  ${name.padEnd(34)}${String(raw).padStart(9)}${String(brotli).padStart(11)}`);
  console.log(`  ${'bytes'.padEnd(34)}${'raw'.padStart(9)}${'brotli-11'.padStart(11)}`);
  for (const variant of variants) {
    const names = ['index.js', 'worker.js', `core-${variant}.js`, `core-${variant}.wasm`];
    const total = { raw: 0, brotli: 0 };
    for (const name of names) {
      row(name, size(name));
      total.raw += size(name).raw;
      total.brotli += size(name).brotli;
    }
    row(`${variant} in all (budget ${budget})`, total);
    if (total.brotli > budget) {
      throw new Failure(
        `The ${variant} runtime is ${total.brotli} bytes after brotli-11, over its budget of ${budget}.`,
      );
    }
  }
}
