// The values of options, checked at the call: before a worker starts or a picture is read.
import { VitrineError } from '../shared/errors.js';
import { MAX_THREADS } from '../shared/limits.js';
import type { Alpha, CacheMode, Simd } from '../shared/types.js';
import { describe } from './source.js';
import type { ClassifyOptions, LoadOptions } from './types.js';

const SIMD: readonly Simd[] = ['relaxed', 'simd'];
const CACHE: readonly CacheMode[] = ['default', 'reload', 'no-store'];
const ALPHA: readonly Alpha[] = ['white', 'drop'];

const DEFAULT_TOP_K = 5;

/** Errors: invalid_argument. */
export function checkLoadOptions({ threads, simd, cache }: LoadOptions): void {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS)) {
    throw invalid('threads', threads, `an integer from 1 to ${MAX_THREADS}`);
  }
  if (simd !== undefined) requireOneOf('simd', simd, SIMD);
  if (cache !== undefined) requireOneOf('cache', cache, CACHE);
}

/** What a run needs to know, with the defaults filled in. Errors: invalid_argument. */
export function runSettings(options: ClassifyOptions): { alpha: Alpha; topK: number } {
  const { alpha = 'white', topK = DEFAULT_TOP_K } = options;
  requireOneOf('alpha', alpha, ALPHA);
  if (!(Number.isInteger(topK) && topK >= 1)) throw invalid('topK', topK, 'an integer of at least 1');
  return { alpha, topK };
}

function requireOneOf<T extends string>(name: string, value: T, allowed: readonly T[]): void {
  if (allowed.includes(value)) return;
  throw invalid(name, value, allowed.map((one) => `'${one}'`).join(' or '));
}

function invalid(name: string, value: unknown, expected: string): VitrineError {
  const found =
    typeof value === 'string' ? `'${value}'` : typeof value === 'number' ? String(value) : describe(value);
  return new VitrineError('invalid_argument', `${name}: ${found}, expected ${expected}`);
}
