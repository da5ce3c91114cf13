// `npm test`: builds and runs every test. `npm test -- NAME...` runs the named stages only. Each stage sets
// up what it needs and nothing else.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildPreset } from './lib/cmake.mjs';
import { nodeFlags } from './lib/node_flags.mjs';
import { buildDir, root } from './lib/paths.mjs';
import { Failure, main, run, seconds } from './lib/run.mjs';
import { buildWeb, checkSizes } from './lib/web.mjs';
import { setup } from './setup.mjs';

const inBuild = (...parts) => path.join(buildDir, ...parts);

/** Runs a program's tests, its output on the terminal. */
const show = (command, args, env) => run(command, args, { show: true, env });

/** Runs node:test files. */
const showTests = (files, options = [], env = {}) =>
  show(process.execPath, ['--test', '--test-reporter=spec', ...options, ...files], env);

/** The tests of a folder that Node runs as they are. */
function plainTests(name) {
  const folder = path.join(root, 'tests', name);
  return fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('.test.mjs'))
    .map((file) => path.join(folder, file));
}

/** Bundles the TypeScript tests of a folder; returns the files for node --test. */
async function bundleTests(folder) {
  const esbuild = await import('esbuild');
  const source = path.join(root, 'tests/web', folder);
  const names = fs.readdirSync(source).filter((name) => name.endsWith('.test.ts'));
  if (names.length === 0) throw new Failure(`tests/web/${folder} holds no *.test.ts`);
  const outdir = inBuild('test-web', folder);
  fs.rmSync(outdir, { recursive: true, force: true });
  await esbuild.build({
    entryPoints: names.map((name) => path.join(source, name)),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'warning',
  });
  return names.map((name) => path.join(outdir, name.replace(/\.ts$/, '.mjs')));
}

/**
 * The shared photos as Pillow resizes them, so that the core's tests can hold every logit against
 * PyTorch's. Without Pillow (Debian: python3-pil) that one test says so and is skipped.
 */
async function resizePhotos() {
  const photos = path.join(process.env.VITRINE_SHARED ?? path.join(root, '../shared'), 'photos');
  const output = inBuild('resized_photos');
  if (!fs.existsSync(photos) || fs.existsSync(output)) return;
  const script = path.join(root, 'tests/golden/resize_photos.py');
  // The python3 on PATH may be another than the one that Debian's packages are for.
  for (const python of ['python3', '/usr/bin/python3']) {
    try {
      return await run(python, [script, photos, output], { log: 'resize_photos' });
    } catch {
      // Without Pillow, say.
    }
  }
  console.log('Pillow could not resize the photos (build/logs/resize_photos.log); their test is skipped');
}

async function testWasm(variant) {
  await resizePhotos();
  await buildPreset(`wasm-${variant}`, ['vitrine_tests']);
  await show(process.execPath, [...nodeFlags, inBuild(`wasm-${variant}/vitrine_tests.js`)]);
}

const stages = {
  units: {
    needs: ['npm'],
    run: async () => showTests([...plainTests('scripts'), ...(await bundleTests('unit'))]),
  },
  native: {
    needs: ['cpp'],
    run: async () => {
      await resizePhotos();
      await buildPreset('native');
      await show(inBuild('native/vitrine_tests'), []);
    },
  },
  sanitize: {
    needs: ['cpp'],
    run: async () => {
      await resizePhotos();
      await buildPreset('sanitize');
      await show('ctest', ['--preset', 'sanitize', '--parallel', String(os.availableParallelism())]);
    },
  },
  'wasm-relaxed': { needs: ['cpp', 'emscripten'], run: () => testWasm('relaxed') },
  'wasm-simd': { needs: ['cpp', 'emscripten'], run: () => testWasm('simd') },
  command: {
    needs: ['cpp', 'emscripten'],
    run: async () => {
      await buildPreset('native', ['vitrine']);
      await buildPreset('wasm-relaxed', ['vitrine']);
      await showTests(plainTests('cli'));
    },
  },
  package: {
    needs: ['npm', 'cpp', 'emscripten'],
    run: async () => {
      await buildWeb();
      checkSizes();
    },
  },
  browser: {
    needs: ['npm', 'cpp', 'emscripten', 'chromium'],
    run: async ({ chromium }) => {
      await buildWeb();
      await buildPreset('native', ['vitrine']);
      await showTests(await bundleTests('browser'), ['--test-concurrency=1'], { CHROMIUM: chromium });
    },
  },
};

await main(async () => {
  const chosen = process.argv.slice(2);
  const unknown = chosen.find((name) => !(name in stages));
  if (unknown) throw new Failure(`${unknown} is no stage; the stages are ${Object.keys(stages).join(', ')}`);

  const results = [];
  for (const name of chosen.length > 0 ? chosen : Object.keys(stages)) {
    console.log(`\n━━ ${name}`);
    const start = performance.now();
    let passed = true;
    try {
      const { needs, run: runStage } = stages[name];
      await runStage(await setup(needs));
    } catch (error) {
      passed = false;
      console.error(error instanceof Failure ? `✗ ${error.message}` : error);
    }
    results.push({ name, passed, time: performance.now() - start });
    console.log(`━━ ${name}: ${passed ? 'passed' : 'FAILED'} in ${seconds(results.at(-1).time)}`);
  }

  console.log('\nStages of npm test:');
  for (const { name, passed, time } of results) {
    console.log(`  ${passed ? '✓' : '✗'} ${name.padEnd(14)} ${seconds(time).padStart(9)}`);
  }
  const failed = results.filter(({ passed }) => !passed).length;
  console.log(`\n${results.length - failed} passed, ${failed} failed`);
  if (failed > 0) process.exit(1);
});
