// The public types of what callers give and get, which the worker, without a DOM, knows nothing of.
import type { Alpha, CacheMode, CoreInfo, Progress, Simd } from '../shared/types.js';

/** A JSON file: its URL, its text, a Blob or File of it, or the parsed value. */
export type JsonSource = string | URL | Blob | object;
export type ConfigSource = JsonSource;
/** Names by class index; as a list, as `{"0": "tench", ...}`, or a JSON file of either. */
export type LabelsSource = readonly string[] | Readonly<Record<number, string>> | JsonSource;
/** model.safetensors: its URL or its bytes. A stream or a Response is read to its end. */
export type WeightsSource =
  string | URL | Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array> | Response;

/** A model whose files do not lie in one folder. */
export interface ModelParts {
  config: ConfigSource;
  weights: WeightsSource;
  /** preprocessor_config.json of a Hugging Face model. */
  preprocessor?: JsonSource;
  labels?: LabelsSource;
}

/**
 * A timm or Hugging Face model: the URL of its folder, the files of its folder (from a folder
 * picker or a drop), or its parts. A folder holds config.json and model.safetensors, and may hold
 * preprocessor_config.json and labels.json.
 */
export type ModelSource = string | URL | Iterable<File> | ModelParts;

/** A picture. Bytes and pixels of the caller's are taken as they are at the call. */
export type PictureInput =
  | string // a URL
  | URL
  | Blob // a file of any format that the core or the browser decodes
  | ArrayBuffer // the bytes of such a file
  | Uint8Array
  | ImageData
  | ImageBitmap
  | VideoFrame
  | OffscreenCanvas
  | HTMLCanvasElement
  | HTMLImageElement
  | HTMLVideoElement
  | SVGImageElement;

/** A picture, or a normalised tensor [in_chans, height, width] as PyTorch has it. */
export type ModelInput = PictureInput | Float32Array;

export interface LoadOptions {
  /** Called as weights arrive. */
  onProgress?: (progress: Progress) => void;
  /** Aborting rejects with the signal's reason and leaves nothing behind. */
  signal?: AbortSignal;
  /** 1 to 64; by default the number of cores, at most 4; 1 where the page is not cross-origin isolated. */
  threads?: number;
  /** Overrides the model's own labels. */
  labels?: LabelsSource;
  /**
   * Weights fetched from a URL are kept in the Cache API. 'default' uses them after asking the
   * server whether they changed; 'reload' fetches anew; 'no-store' neither reads nor writes.
   */
  cache?: CacheMode;
  /** Forces a build of the core; by default the best one that the browser runs. */
  simd?: Simd;
}

export interface RunOptions {
  signal?: AbortSignal;
  /** 'white' by default. */
  alpha?: Alpha;
}

export interface ClassifyOptions extends RunOptions {
  /** How many labels; 5 by default. */
  topK?: number;
}

/** What was loaded and what it runs on. */
export interface ClassifierInfo extends CoreInfo {
  backend: 'wasm';
  simd: Simd;
  /** Why there are not more threads, in words. */
  threadsReason: string;
  crossOriginIsolated: boolean;
  /** Bytes; `heap` is all of the core's memory at its largest so far. */
  memory: CoreInfo['memory'] & { heap: number };
}
