// `npm run vitrine -- ARGS`: the same command as build/native/vitrine, as WebAssembly in Node.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { buildPreset } from './lib/cmake.mjs';
import { nodeFlags } from './lib/node_flags.mjs';
import { buildDir } from './lib/paths.mjs';
import { main } from './lib/run.mjs';
import { setup } from './setup.mjs';

await main(async () => {
  // What the command prints may be piped on, so progress goes to the other stream.
  console.log = console.error;
  await setup(['cpp', 'emscripten']);
  await buildPreset('wasm-relaxed', ['vitrine']);

  const args = process.argv.slice(2);
  const wanted = Number(args[args.indexOf('--threads') + 1]) || 0;
  const poolSize = Math.max(os.availableParallelism(), wanted);
  const program = path.join(buildDir, 'wasm-relaxed/vitrine-cli.js');
  const child = spawn(process.execPath, [...nodeFlags, program, ...args], {
    // npm moves to the repository; file names are meant from where the person is.
    cwd: process.env.INIT_CWD ?? process.cwd(),
    env: { ...process.env, VITRINE_POOL_SIZE: String(poolSize) },
    stdio: 'inherit',
  });
  child.on('close', (status, signal) => process.exit(signal ? 1 : status));
});
