// Running programs and telling a person how far things are.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildDir, root } from './paths.mjs';

/** An error whose message is meant for the person at the terminal; it is printed without a stack. */
export class Failure extends Error {}

export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

/** Runs `work` under a heading and prints how long it took. */
export async function step(title, work) {
  const start = performance.now();
  console.log(`• ${title} …`);
  const result = await work();
  console.log(`  ${title}: done in ${seconds(performance.now() - start)}`);
  return result;
}

/**
 * Runs a program and resolves to its standard output. With `log`, both streams go to
 * build/logs/<log>.log and the tail is shown only on failure; with `show`, to the terminal.
 */
export function run(command, args, { cwd = root, env, log, show = false, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined ? 'ignore' : 'pipe', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    });
    const stdout = [];
    const all = [];
    if (input !== undefined) child.stdin.end(input);
    child.stdout?.on('data', (chunk) => {
      stdout.push(chunk);
      all.push(chunk);
    });
    child.stderr?.on('data', (chunk) => all.push(chunk));
    child.on('error', (error) =>
      reject(
        new Failure(error.code === 'ENOENT' ? `${command} is not installed` : `${command}: ${error.message}`),
      ),
    );
    child.on('close', (status, signal) => {
      const text = Buffer.concat(all).toString();
      if (log) {
        fs.mkdirSync(path.join(buildDir, 'logs'), { recursive: true });
        fs.writeFileSync(path.join(buildDir, 'logs', `${log}.log`), text);
      }
      if (status === 0) return resolve(Buffer.concat(stdout).toString());
      const tail = text.trimEnd().split('\n').slice(-40).join('\n');
      const where = log ? `\n(all of it: build/logs/${log}.log)` : '';
      reject(new Failure(`${command} ${args.join(' ')} ended with ${signal ?? status}\n${tail}${where}`));
    });
  });
}

/** The full path of a program on PATH, or null. */
export function which(name) {
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.statSync(file).isFile()) return file;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}

/** Runs a script's main function; a Failure ends it with its message and status 1. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof Failure ? `\n✗ ${error.message}` : error);
    process.exit(1);
  }
}
