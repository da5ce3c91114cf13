/// <reference lib="esnext.disposable" preserve="true" />
import { Bridge } from './bridge.js';
import { VitrineError } from './errors.js';
import { resolveInput } from './input.js';
import {
  CACHE_NAME,
  type Classification,
  type CoreInfo,
  type Method,
  type Methods,
  type RunMessage,
} from './messages.js';
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

const DEFAULT_TOP_K = 5;

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
   * The best labels of a picture, or of each of several: then in the given order, and the first bad
   * picture rejects with its index in the message.
   */
  classify(input: PictureInput, options?: ClassifyOptions): Promise<Classification>;
  classify(input: readonly PictureInput[], options?: ClassifyOptions): Promise<Classification[]>;
  async classify(
    input: PictureInput | readonly PictureInput[],
    options: ClassifyOptions = {},
  ): Promise<Classification | Classification[]> {
    return this.#runEach('classify', input, options, options.topK);
  }

  /** The embedding before the head (timm: forward_features, pooled), [embed_dim] or [representation_size]. */
  features(input: PictureInput, options: RunOptions = {}): Promise<Float32Array> {
    return this.#run('features', input, options);
  }

  /** The head's values before softmax, [num_classes]; also of a normalised tensor [in_chans, height, width]. */
  logits(input: ModelInput, options: RunOptions = {}): Promise<Float32Array> {
    return this.#run('logits', input, options);
  }

  /** Ends the worker and frees its memory. Open and later calls reject with status 'disposed'. */
  dispose(): void {
    this.#bridge.close(new VitrineError('disposed', 'the classifier has been disposed of; load it again'));
  }

  async #runEach<M extends RunMethod>(
    method: M,
    input: ModelInput | readonly ModelInput[],
    options: RunOptions,
    topK: number | undefined,
  ): Promise<RunResult<M> | RunResult<M>[]> {
    if (!Array.isArray(input)) return this.#run(method, input as ModelInput, options, topK);
    const results: RunResult<M>[] = [];
    for (const [index, item] of (input as readonly ModelInput[]).entries()) {
      try {
        results.push(await this.#run(method, item, options, topK));
      } catch (error) {
        if (!(error instanceof VitrineError)) throw error;
        throw new VitrineError(error.status, `input ${index}: ${error.message}`, { cause: error });
      }
    }
    return results;
  }

  async #run<M extends RunMethod>(
    method: M,
    input: ModelInput,
    { signal, alpha = 'white' }: RunOptions,
    topK = DEFAULT_TOP_K,
  ): Promise<RunResult<M>> {
    signal?.throwIfAborted();
    if (!(Number.isInteger(topK) && topK >= 1)) {
      throw new VitrineError('invalid_argument', `topK: ${topK}, expected an integer of at least 1`);
    }
    if (alpha !== 'white' && alpha !== 'drop') {
      throw new VitrineError('invalid_argument', `alpha: '${String(alpha)}', expected 'white' or 'drop'`);
    }
    const { message, transfer } = await resolveInput(input, baseUrl());
    const args: RunMessage = { input: message, dropAlpha: alpha === 'drop', topK };
    try {
      return await this.#bridge.call(method, args, { transfer, signal });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'DataCloneError') throw unreadable(error);
      throw error;
    }
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
    // Written so that bundlers find the worker.
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
