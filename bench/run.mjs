// npm run bench: Vitrine and onnxruntime-web side by side in one Chromium, on the same random ViTs.
import fs from 'node:fs';
import path from 'node:path';
import { buildDir, root } from '../scripts/lib/paths.mjs';
import { Failure, main, run, step } from '../scripts/lib/run.mjs';
import { setupChromium } from '../scripts/setup/chromium.mjs';
import { describeMachine } from './lib/machine.mjs';
import { modelsDir, prepareModel } from './lib/models.mjs';
import { parseOptions } from './lib/options.mjs';
import { report } from './lib/report.mjs';
import { startServer } from './lib/server.mjs';
import { runtimeSize } from './lib/sizes.mjs';

const COLD_MODEL = 'tiny';
const NATIVE_RUNS = 10;

const benchDir = path.join(root, 'bench');
const distDir = path.join(root, 'web/dist');
const ortDir = path.join(benchDir, 'node_modules/onnxruntime-web');
const nativeCommand = path.join(buildDir, 'native/vitrine');

await main(async () => {
  const options = parseOptions(process.argv.slice(2));
  if (!options) return;
  const { engines, models, threads } = options;
  if (engines.includes('vitrine')) requireFile(path.join(distDir, 'index.js'), 'npm run build');
  if (options.native) requireFile(nativeCommand, 'npm run build:native');
  if (engines.includes('ort')) await installOrt();
  const executablePath = await setupChromium();
  // Only now: it needs the repository's npm packages.
  const { measureColdStarts, measureRuns } = await import('./lib/measure.mjs');
  for (const size of new Set([...models, ...(options.cold > 0 ? [COLD_MODEL] : [])])) {
    await step(`ViT-${size}, random weights`, () => prepareModel(size));
  }

  const server = await startServer({
    '/bench/': path.join(benchDir, 'page'),
    '/vitrine/': distDir,
    '/onnxruntime/': path.join(ortDir, 'dist'),
    '/models/': modelsDir,
  });
  const opening = { engines, executablePath, server };
  const runs = [];
  const coldStarts = [];
  try {
    for (const count of options.cold > 0 ? threads : []) {
      const measure = () =>
        measureColdStarts({ ...opening, model: COLD_MODEL, threads: count, count: options.cold });
      coldStarts.push(await step(`Cold starts, ${threadsText(count)}`, measure));
    }
    for (const model of models) {
      for (const count of threads) {
        const measure = () => measureRuns({ ...opening, model, threads: count, rounds: options.rounds });
        const result = await step(`ViT-${model}, ${threadsText(count)}`, measure);
        if (options.native) result.native = await timeNative(model, count);
        runs.push(result);
      }
    }
  } finally {
    await server.close();
  }

  const results = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    versions: await versions(executablePath),
    options,
    runs,
    coldStarts,
    sizes: await step('Sizes', () => sizesOf(engines, runs)),
  };
  const file = path.resolve(
    process.env.INIT_CWD ?? '.', // npm moves to the repository; --out is meant from where the person is
    options.out ?? path.join(benchDir, 'results', `${results.date.replaceAll(':', '-')}.json`),
  );
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(results, null, 1) + '\n');
  console.log(`\n${report(results)}\n\nEach sample: ${path.relative(process.cwd(), file)}`);
});

function requireFile(file, command) {
  if (fs.existsSync(file)) return;
  throw new Failure(`${path.relative(root, file)} is not there; make it with: ${command}`);
}

/** onnxruntime-web is a dependency of the benchmark alone, installed when it first runs. */
async function installOrt() {
  const { dependencies } = readJson(path.join(benchDir, 'package.json'));
  const installed = path.join(ortDir, 'package.json');
  if (fs.existsSync(installed) && readJson(installed).version === dependencies['onnxruntime-web']) return;
  await step('Installing onnxruntime-web', () =>
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: benchDir, log: 'bench-npm-ci' }),
  );
}

/** Median and minimum ms of the native command with the same weights. */
async function timeNative(model, threads) {
  const folder = path.join(modelsDir, model);
  const args = ['bench', folder, '--json', '--threads', String(threads), '--runs', String(NATIVE_RUNS)];
  return JSON.parse(await run(nativeCommand, args)).ms;
}

async function sizesOf(engines, runs) {
  const sizes = {};
  for (const engine of engines) sizes[engine] = await runtimeSize(runs[0].files[engine]);
  return sizes;
}

async function versions(executablePath) {
  const commit = await run('git', ['describe', '--always', '--dirty']).catch(() => '');
  return {
    vitrine: readJson(path.join(root, 'web/package.json')).version,
    commit: commit.trim(),
    ort: readJson(path.join(benchDir, 'package.json')).dependencies['onnxruntime-web'],
    chromium: (await run(executablePath, ['--version'])).split(' built on')[0].trim(),
  };
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function threadsText(count) {
  return `${count} thread${count === 1 ? '' : 's'}`;
}
