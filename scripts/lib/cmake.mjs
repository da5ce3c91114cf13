// Configuring and building the CMake presets, with progress a person can follow.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildDir, root } from './paths.mjs';
import { Failure, run, seconds, which } from './run.mjs';

/** Builds targets of a preset (all when none are named); quick when nothing changed. */
export async function buildPreset(preset, targets = []) {
  const start = performance.now();
  const folder = await configurePreset(preset);
  const target = targets.length > 0 ? ['--target', ...targets] : [];
  const worked = await compile(
    ['--build', folder, '--parallel', String(os.availableParallelism()), ...target],
    `Building ${preset}`,
    preset,
  );
  if (worked) console.log(`  Building ${preset}: done in ${seconds(performance.now() - start)}`);
}

// Which toolchain of build/setup a preset uses; the others use the system's compiler.
const toolchains = { 'wasm-relaxed': 'emscripten', 'wasm-simd': 'emscripten', clang: 'llvm', fuzz: 'llvm' };

/** Configures when the preset's folder is new or was made for another toolchain or checkout. */
export async function configurePreset(preset) {
  const folder = path.join(buildDir, preset);
  const stamp = path.join(folder, 'vitrine-configured');
  const setups = ['sources', toolchains[preset]].map((name) => path.join(buildDir, 'setup', `${name}.cmake`));
  const wanted = [root, ...setups.filter(fs.existsSync).map((file) => fs.readFileSync(file, 'utf8'))].join(
    '\n',
  );
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return folder;
  // Compilers and paths cannot be changed in an existing folder.
  fs.rmSync(folder, { recursive: true, force: true });
  console.log(`• Configuring ${preset} …`);
  const generator = which('ninja') ? ['-G', 'Ninja'] : ['-G', 'Unix Makefiles'];
  await run('cmake', ['--preset', preset, ...generator], { log: `${preset}-configure` });
  fs.writeFileSync(stamp, wanted);
  return folder;
}

/** Runs cmake --build; shows its [n/m] or [n%]; resolves to whether there was anything to do. */
function compile(args, title, name) {
  fs.mkdirSync(path.join(buildDir, 'logs'), { recursive: true });
  const log = fs.createWriteStream(path.join(buildDir, 'logs', `${name}.log`));
  const meter = progressMeter(title);
  return new Promise((resolve, reject) => {
    const child = spawn('cmake', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    const lines = [];
    let rest = '';
    let worked = false;
    const take = (chunk) => {
      log.write(chunk);
      const parts = (rest + chunk).split('\n');
      rest = parts.pop();
      for (const line of parts) {
        lines.push(line);
        const progress = /^\[\s*(\d+%|\d+\/\d+)\]/.exec(line)?.[1];
        if (!progress || /Re-checking globbed|Built target/.test(line)) continue;
        worked = true;
        meter.show(progress);
      }
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (status) => {
      meter.end();
      log.end();
      if (status === 0) return resolve(worked);
      // The compiler's words begin at the first failed command.
      const failed = lines.findIndex((line) => /^FAILED:|error:|Error \d/.test(line));
      const excerpt = lines.slice(Math.max(0, failed < 0 ? lines.length - 30 : failed)).slice(0, 60);
      reject(new Failure(`${title} failed\n${excerpt.join('\n')}\n(all of it: build/logs/${name}.log)`));
    });
  });
}

/** One line rewritten in place on a terminal; elsewhere a line every ten seconds. */
function progressMeter(title) {
  const terminal = process.stderr.isTTY;
  let shown = 0;
  return {
    show(progress) {
      if (terminal) process.stderr.write(`\r• ${title} [${progress}]\x1b[K`);
      else if (performance.now() - shown > 10_000 || shown === 0) {
        console.log(`• ${title} [${progress}]`);
        shown = performance.now();
      }
    },
    end() {
      if (terminal) process.stderr.write('\r\x1b[K');
    },
  };
}
