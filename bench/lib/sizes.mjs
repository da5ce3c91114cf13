// How large an engine's runtime is: the JavaScript and WebAssembly that a start fetches, without the weights.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { benchCache } from './models.mjs';

const cacheFile = path.join(benchCache, 'brotli.json');
const brotliCompress = promisify(zlib.brotliCompress);

/** `files` as the server lists them; the benchmark's own pages and the models do not count. */
export async function runtimeSize(files) {
  const runtime = files.filter(({ url }) => /\.(m?js|wasm)$/.test(url) && !url.startsWith('/bench/'));
  const measured = [];
  for (const { url, file } of runtime) {
    const bytes = fs.readFileSync(file);
    measured.push({ url, raw: bytes.length, brotli: await brotliSize(bytes) });
  }
  const total = (key) => measured.reduce((sum, file) => sum + file[key], 0);
  return { raw: total('raw'), brotli: total('brotli'), files: measured };
}

/** Brotli at its best, kept by content: 14 MB take half a minute. */
async function brotliSize(bytes) {
  const known = fs.existsSync(cacheFile) ? JSON.parse(fs.readFileSync(cacheFile, 'utf8')) : {};
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (known[hash] === undefined) {
    const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = zlib.constants;
    const params = {
      [BROTLI_PARAM_QUALITY]: 11,
      [BROTLI_PARAM_LGWIN]: 24,
      [BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    known[hash] = (await brotliCompress(bytes, { params })).length;
    fs.mkdirSync(benchCache, { recursive: true });
    fs.writeFileSync(cacheFile, JSON.stringify(known));
  }
  return known[hash];
}
