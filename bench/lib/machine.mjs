// Is the machine quiet? A canary, a fixed piece of native work, takes longer when something else runs on the
// same cores, even something that this system does not see: another guest of the same host.
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { benchCache } from './models.mjs';

const CANARY_ITERATIONS = 80_000; // about 20 ms
const CALIBRATION_CANARIES = 20;
const IDLE_WINDOW_MS = 150;
const IDLE_CORES = 0.25;
const LONGEST_WAIT_MS = 1500;

/** A round during which the canary took up to this much longer than at best counts as undisturbed. */
export const CANARY_LIMIT = 1.12;

const pbkdf2 = promisify(crypto.pbkdf2);
const best = new Map(); // threads -> ms
const canaryFile = path.join(benchCache, 'canary.json');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Milliseconds that the canary takes on as many threads at once. */
async function canary(threads) {
  const start = performance.now();
  await Promise.all(
    Array.from({ length: threads }, () => pbkdf2('canary', 'salt', CANARY_ITERATIONS, 32, 'sha256')),
  );
  const ms = performance.now() - start;
  best.set(threads, Math.min(best.get(threads) ?? Infinity, ms));
  return ms;
}

/**
 * Learns how fast the canary is on this machine at best. It is kept from run to run: one that begins in a
 * slow spell must not take the spell for normal.
 */
export async function calibrate(threads) {
  for (let i = 0; i < CALIBRATION_CANARIES; i++) await canary(threads);
  const known = fs.existsSync(canaryFile) ? JSON.parse(fs.readFileSync(canaryFile, 'utf8')) : {};
  const key = `${CANARY_ITERATIONS} on ${os.cpus()[0]?.model}, ${threads} threads, Node ${process.versions.node}`;
  known[key] = Math.min(known[key] ?? Infinity, best.get(threads));
  best.set(threads, known[key]);
  fs.writeFileSync(canaryFile, JSON.stringify(known, null, 1));
}

/** Waits a little for the cores to fall idle, then runs the canary; resolves to its milliseconds. */
export async function quietCanary(threads) {
  const start = performance.now();
  while ((await busyCores()) > IDLE_CORES && performance.now() - start < LONGEST_WAIT_MS);
  return Math.min(await canary(threads), await canary(threads));
}

/** How much longer than at best the canary took; 1 is the best seen until now. */
export function disturbance(canaryMs, threads) {
  return canaryMs / best.get(threads);
}

async function busyCores() {
  const before = cpuTimes();
  const start = performance.now();
  await sleep(IDLE_WINDOW_MS);
  const idle = cpuTimes().idle - before.idle;
  return Math.max(0, before.cores - idle / (performance.now() - start));
}

function cpuTimes() {
  const cpus = os.cpus();
  return { cores: cpus.length, idle: cpus.reduce((sum, cpu) => sum + cpu.times.idle, 0) };
}

export function describeMachine() {
  const [cpu] = os.cpus();
  return {
    cpu: `${cpu?.model ?? 'unknown'}${cpu?.speed ? ` at ${cpu.speed} MHz` : ''}`,
    cores: os.cpus().length,
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.versions.node,
    loadAverage: os.loadavg(),
  };
}
