// What travels between the page and the worker, and the one name that both must know.
import type { WireError } from './errors.js';
import type { Alpha, CacheMode, Classification, CoreInfo, Progress, Simd } from './types.js';

/** Where weights are kept between visits (Cache API). */
export const CACHE_NAME = 'vitrine-v1';

/** A small JSON file: its text, a file to read, or where to fetch it. */
export type JsonMessage =
  | { kind: 'text'; text: string }
  | { kind: 'blob'; blob: Blob }
  | { kind: 'url'; url: string; optional: boolean };

/** The bytes of model.safetensors. */
export type WeightsMessage =
  | { kind: 'url'; url: string }
  | { kind: 'blob'; blob: Blob }
  | { kind: 'stream'; stream: ReadableStream<Uint8Array> };

export interface SourceMessage {
  config: JsonMessage;
  preprocessor?: JsonMessage | undefined;
  labels?: JsonMessage | undefined;
  weights: WeightsMessage;
}

export interface LoadMessage {
  source: SourceMessage;
  simd: Simd;
  threads: number;
  cache: CacheMode;
}

/** Straight RGBA, [height, width, 4]. */
export interface Pixels {
  width: number;
  height: number;
  data: Uint8ClampedArray;
}

/** A picture whose bytes are at hand, or a normalised tensor. */
export type LocalInput =
  | { kind: 'encoded'; bytes: Blob | ArrayBuffer }
  | { kind: 'pixels'; pixels: Pixels }
  | { kind: 'drawable'; drawable: ImageBitmap | VideoFrame }
  | { kind: 'tensor'; tensor: Float32Array };

export type InputMessage = { kind: 'url'; url: string } | LocalInput;

export interface RunMessage {
  input: InputMessage;
  alpha: Alpha;
  topK: number;
}

/** Each method's arguments and result. */
export interface Methods {
  load: { args: LoadMessage; result: CoreInfo };
  classify: { args: RunMessage; result: Classification };
  features: { args: RunMessage; result: Float32Array };
  logits: { args: RunMessage; result: Float32Array };
}
export type Method = keyof Methods;

export type ToWorker =
  { [M in Method]: { id: number; method: M; args: Methods[M]['args'] } }[Method] | { abort: number };

export type ToPage =
  /** Whether a copy of the weights is on its way to the cache, which ending the worker would lose. */
  | { storing: boolean }
  | { id: number; progress: Progress }
  | { id: number; result: Methods[Method]['result']; heap: number }
  | { id: number; error: WireError };
