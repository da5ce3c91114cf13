// The public types that the page and the worker both know.

/** The builds of the core: WebAssembly SIMD, and relaxed SIMD where the browser has it. */
export type Simd = 'relaxed' | 'simd';
export type CacheMode = 'default' | 'reload' | 'no-store';
/** Transparency: composited on white, or dropped as Pillow's convert('RGB') does. */
export type Alpha = 'white' | 'drop';

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
  /** From the file, bitmap or frame, once it is at hand, to pixels in the core. */
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
