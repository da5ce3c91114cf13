// The two builds of the command, and how to run them.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { nodeFlags } from '../../scripts/lib/node_flags.mjs';
import { buildDir, root } from '../../scripts/lib/paths.mjs';

const native = process.env.VITRINE_NATIVE || path.join(buildDir, 'native/vitrine');
const wasm = process.env.VITRINE_WASM_CLI || path.join(buildDir, 'wasm-relaxed/vitrine-cli.js');

/** `skip` is false, or says how to build what is missing. */
export const programs = [
  {
    name: 'native',
    command: [native],
    skip: existsSync(native) ? false : `${native} is not built: npm run build:native`,
  },
  {
    name: 'wasm in Node',
    command: [process.execPath, ...nodeFlags, wasm],
    skip: existsSync(wasm) ? false : `${wasm} is not built: npm run vitrine`,
  },
];

/** The shared test material beside the checkout, or why there is none. */
export const shared = process.env.VITRINE_SHARED || path.join(root, '../shared');
export const skipShared = existsSync(path.join(shared, 'models'))
  ? false
  : `needs the shared test material at ${shared} (or set VITRINE_SHARED)`;

/** Runs the command; { status, stdout, stderr }. */
export function run(program, args, { input, env } = {}) {
  const [file, ...first] = program.command;
  const { error, ...result } = spawnSync(file, [...first, ...args], {
    input: input ?? '',
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, VITRINE_POOL_SIZE: '2', ...env },
  });
  if (error) throw error;
  return result;
}

/** The lines of `vitrine classify --json`, parsed. */
export function jsonLines(stdout) {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
