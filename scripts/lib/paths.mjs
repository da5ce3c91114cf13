// Where things live: the repository, its build folder and the per-user cache of downloads.
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const buildDir = path.join(root, 'build');

/** Downloads survive here, so that the next clone on this machine starts warm. */
export const cacheDir =
  process.env.VITRINE_CACHE ||
  path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'vitrine');
