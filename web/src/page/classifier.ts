/// <reference lib="esnext.disposable" preserve="true" />
import { VitrineError } from '../shared/errors.js';
import { CACHE_NAME, type Method, type Methods } from '../shared/messages.js';
import type { Classification, CoreInfo } from '../shared/types.js';
import { Bridge } from './bridge.js';
import { resolveInput } from './input.js';
import { checkLoadOptions, runSettings } from './options.js';
import { resolveSource } from './source.js';
import { chooseThreads, detectSimd, requireBrowser, type Threads } from './support.js';
import type {
  ClassifierInfo,
  ClassifyOptions,
  LoadOptions,
  ModelInput,
  ModelSource,
  PictureInput,
  RunOptions,
} from './types.js';

type RunMethod = Exclude<Method, 'load'>;
type RunResult<M extends Method> = Methods[M]['result'];

/**
 * A Vision Transformer, loaded into a worker of its own. Pictures are classified one after the
 * other in the order of the calls; the page stays responsive meanwhile.
 *
 * Every failure is a VitrineError, but for an abort, which is the signal's reason.
 */
export class Classifier implements Disposable {
  /** `using classifier = …`, where the language has it. */
  declare [Symbol.dispose]: () => void;
  static {
    // Browsers without the symbol must not get a method named 'undefined'.
    if (Symbol.dispose) {
      Object.defineProperty(this.prototype, Symbol.dispose, {
        value(this: Classifier) {
          this.dispose();
        },
      });
    }
  }

  readonly #bridge: Bridge;
  readonly #info: CoreInfo;
  readonly #environment: Environment;

  private constructor(bridge: Bridge, info: CoreInfo, environment: Environment) {
    this.#bridge = bridge;
    this.#info = info;
    this.#environment = environment;
  }

  /**
   * Loads a model: `source` is the URL of a timm or Hugging Face folder, the files of such a folder,
   * or `{ config, weights }`. Rejects with the signal's reason when aborted, and frees everything.
   */
  static async load(source: ModelSource, options: LoadOptions = {}): Promise<Classifier> {
    const { signal, onProgress, labels, cache = 'default' } = options;
    signal?.throwIfAborted();
    checkLoadOptions(options);
    requireBrowser();
    const environment = environmentFor(options);
    const { message, transfer } = resolveSource(source, labels, baseUrl());
    const bridge = new Bridge(startWorker());
    try {
      const { simd, threads } = environment;
      const args = { source: message, simd, threads, cache };
      const info = await bridge.call('load', args, { transfer, signal, onProgress });
      return new Classifier(bridge, info, environment);
    } catch (error) {
      bridge.close(new VitrineError('disposed', 'loading failed'));
      throw error;
    }
  }

  /** Forgets the weights that earlier loads have kept in this browser. */
  static async clearCache(): Promise<void> {
    await globalThis.caches?.delete(CACHE_NAME);
  }

  /** What was loaded and what it runs on. */
  get info(): ClassifierInfo {
    return {
      ...this.#info,
      ...this.#environment,
      threads: this.#info.threads,
      backend: 'wasm',
      memory: { ...this.#info.memory, heap: this.#bridge.heap },
    };
  }

  /**
   * The best labels of a picture, or of each of several: then in the given order, each read when its
   * turn comes, and the first bad picture rejects with its index in the message.
   */
  classify(input: PictureInput, options?: ClassifyOptions): Promise<Classification>;
  classify(input: readonly PictureInput[], options?: ClassifyOptions): Promise<Classification[]>;
  async classify(
    input: PictureInput | readonly PictureInput[],
    options: ClassifyOptions = {},
  ): Promise<Classification | Classification[]> {
    const run = this.#start('classify', options);
    if (!Array.isArray(input)) return run(input as PictureInput);
    const results: Classification[] = [];
    for (const [index, item] of [...(input as readonly PictureInput[])].entries()) {
      try {
        results.push(await run(item));
      } catch (error) {
        if (!(error instanceof VitrineError)) throw error;
        throw new VitrineError(error.status, `input ${index}: ${error.message}`, { cause: error });
      }
    }
    return results;
  }

  /** The embedding before the head (timm: forward_features, pooled), [embed_dim] or [representation_size]. */
  async features(input: PictureInput, options: RunOptions = {}): Promise<Float32Array> {
    return this.#start('features', options)(input);
  }

  /** The head's values before softmax, [num_classes]; also of a normalised tensor [in_chans, height, width]. */
  async logits(input: ModelInput, options: RunOptions = {}): Promise<Float32Array> {
    return this.#start('logits', options)(input);
  }

  /** Ends the worker and frees its memory. Open and later calls reject with status 'disposed'. */
  dispose(): void {
    this.#bridge.close(new VitrineError('disposed', 'the classifier has been disposed of; load it again'));
  }

  /** Runs a method on pictures, with options that are checked now. */
  #start<M extends RunMethod>(
    method: M,
    options: ClassifyOptions,
  ): (input: ModelInput) => Promise<RunResult<M>> {
    const { signal } = options;
    const settings = runSettings(options);
    return async (input) => {
      signal?.throwIfAborted();
      const { message, transfer } = await resolveInput(input, baseUrl());
      try {
        return await this.#bridge.call(method, { ...settings, input: message }, { transfer, signal });
      } catch (error) {
        if (error instanceof DOMException && error.name === 'DataCloneError') throw unreadable(error);
        throw error;
      }
    };
  }
}

/** What a load runs on. */
type Environment = Pick<ClassifierInfo, 'simd' | 'threads' | 'threadsReason' | 'crossOriginIsolated'>;

function environmentFor({ threads: requested, simd }: LoadOptions): Environment {
  const crossOriginIsolated = globalThis.crossOriginIsolated ?? false;
  const { threads, reason }: Threads = chooseThreads(requested, {
    crossOriginIsolated,
    cores: navigator.hardwareConcurrency || 1,
  });
  return { simd: simd ?? detectSimd(), threads, threadsReason: reason, crossOriginIsolated };
}

function startWorker(): Worker {
  try {
    // Written so that bundlers find the worker, which lies beside the bundle of this file.
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'vitrine' });
  } catch (cause) {
    throw new VitrineError(
      'network',
      `the worker could not be started (${String(cause)}); browsers start workers only from the page's own ` +
        "origin: serve the package's dist folder from there",
      { cause },
    );
  }
}

/** Relative URLs mean what they mean in the page, not in the worker. */
function baseUrl(): string | undefined {
  return globalThis.document?.baseURI ?? globalThis.location?.href;
}

function unreadable(cause: DOMException): VitrineError {
  return new VitrineError(
    'invalid_image',
    'the pixels may not be read: the picture comes from another site; serve it with Access-Control-Allow-Origin ' +
      "and load it with crossorigin='anonymous'",
    { cause },
  );
}
