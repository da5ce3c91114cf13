// What this browser can do. Nothing here runs at import.
import { VitrineError } from '../shared/errors.js';
import type { Simd } from '../shared/types.js';

const MAX_DEFAULT_THREADS = 4;

/** A module of one function () -> v128 with this body, for WebAssembly.validate. */
function moduleReturningV128(body: number[]): Uint8Array<ArrayBuffer> {
  const code = [0, ...body, 0x0b]; // no locals, body, end
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // '\0asm', version 1
    ...[1, 5, 1, 0x60, 0, 1, 0x7b], // type section: () -> v128
    ...[3, 2, 1, 0], // function section: one function of type 0
    ...[10, code.length + 2, 1, code.length, ...code], // code section
  ]);
}

const ZERO = [0x41, 0, 0xfd, 0x0f]; // i32.const 0, i8x16.splat
const RELAXED_MADD = [0xfd, 0x85, 0x02]; // f32x4.relaxed_madd

/** The best build of the core that this browser runs. */
export function detectSimd(): Simd {
  if (WebAssembly.validate(moduleReturningV128([...ZERO, ...ZERO, ...ZERO, ...RELAXED_MADD])))
    return 'relaxed';
  if (WebAssembly.validate(moduleReturningV128(ZERO))) return 'simd';
  throw new VitrineError(
    'unsupported_browser',
    'this browser has no WebAssembly SIMD; use Chrome or Edge 100, Firefox 114, Safari 16.4 or later',
  );
}

export interface Threads {
  threads: number;
  /** Why there are not more, in words for people. */
  reason: string;
}

/**
 * How many threads to run, counting the worker's own: a thread pool needs cross-origin isolation.
 * `requested` has been checked (options.ts).
 */
export function chooseThreads(
  requested: number | undefined,
  { crossOriginIsolated, cores }: { crossOriginIsolated: boolean; cores: number },
): Threads {
  if (!crossOriginIsolated) {
    return {
      threads: 1,
      reason:
        'the page is not cross-origin isolated; serve it with Cross-Origin-Opener-Policy: same-origin and ' +
        'Cross-Origin-Embedder-Policy: require-corp for more threads',
    };
  }
  if (requested !== undefined) return { threads: requested, reason: 'as requested' };
  return {
    threads: Math.min(cores, MAX_DEFAULT_THREADS),
    reason: `${cores} cores, at most ${MAX_DEFAULT_THREADS} threads by default`,
  };
}

/** Fails in words where the package cannot work at all: Node, or a very old browser. */
export function requireBrowser(): void {
  const missing = ['Worker', 'WebAssembly', 'ReadableStream'].filter((name) => !(name in globalThis));
  if (missing.length > 0) {
    throw new VitrineError(
      'unsupported_browser',
      `no ${missing.join(', ')} here; Classifier.load runs in a browser's page or worker ` +
        '(in Node, or while rendering on a server, call it later, in the page)',
    );
  }
}
