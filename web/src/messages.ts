// What travels between the page and the worker.
import type { WireError } from './errors.js';

/** Where weights are kept between visits (Cache API). */
export const CACHE_NAME = 'vitrine-v1';

/** The builds of the core: WebAssembly SIMD, and relaxed SIMD where the browser has it. */
export type Simd = 'relaxed' | 'simd';
export type CacheMode = 'default' | 'reload' | 'no-store';

/** A small JSON file: its text, a file to read, or where to fetch it. */
export type TextMessage =
  | { kind: 'text'; text: string }
  | { kind: 'blob'; blob: Blob }
  | { kind: 'url'; url: string; optional: boolean };

/** The bytes of model.safetensors. */
export type WeightsMessage =
  | { kind: 'url'; url: string }
  | { kind: 'blob'; blob: Blob }
  | { kind: 'stream'; stream: ReadableStream<Uint8Array> };

export interface SourceMessage {
  config: TextMessage;
  preprocessor?: TextMessage | undefined;
  labels?: TextMessage | undefined;
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

export type InputMessage =
  | { kind: 'url'; url: string }
  | { kind: 'encoded'; bytes: Blob | ArrayBuffer }
  | { kind: 'pixels'; pixels: Pixels }
  | { kind: 'drawable'; drawable: ImageBitmap | VideoFrame }
  | { kind: 'tensor'; tensor: Float32Array };

export interface RunMessage {
  input: InputMessage;
  dropAlpha: boolean;
  topK: number;
}

/** `loaded` of `total` bytes of weights are in the core; `total` is 0 until it is known. */
export interface Progress {
  phase: 'weights';
  loaded: number;
  total: number;
  /** The bytes come from this browser's cache, not from the network. */
  cached: boolean;
}

export interface Label {
  index: number;
  /** '' where the model has no names. */
  label: string;
  /** Softmax probability. */
  score: number;
}

/** Milliseconds. */
export interface Timing {
  decode: number;
  preprocess: number;
  inference: number;
}

export interface Classification {
  /** Best first. */
  labels: Label[];
  timing: Timing;
}

/** What the core says of the loaded model, by timm's names. Sizes are [height, width] in pixels. */
export interface CoreInfo {
  architecture: string;
  parameters: number;
  img_size: [number, number];
  patch_size: [number, number];
  in_chans: number;
  embed_dim: number;
  depth: number;
  num_heads: number;
  /** 0: the model has no head and gives features only. */
  num_classes: number;
  /** The length of what features() gives. */
  num_features: number;
  distilled: boolean;
  class_token: boolean;
  global_pool: 'token' | 'avg';
  has_labels: boolean;
  threads: number;
  /** The instruction set that the core was compiled for. */
  isa: string;
  /** Bytes. */
  memory: { weights: number; activations: number };
  /** How a picture becomes the network's input. */
  preprocess: {
    input_size: [number, number];
    resize_size: [number, number];
    resize_mode: string;
    interpolation: string;
    mean: number[];
    std: number[];
  };
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
