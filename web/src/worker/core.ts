// The binding of the C ABI (core/include/vitrine/vitrine.h): the only file that touches the heap of
// WebAssembly. A view on the heap is never kept over a call, because growth detaches it.
import { VitrineError, type WireError } from '../shared/errors.js';
import type { Pixels } from '../shared/messages.js';
import type { Alpha, CoreInfo, Label, Simd, Timing } from '../shared/types.js';
import type { JsonFiles } from './json_files.js';

const BUILDS = {
  relaxed: { glue: () => import('./core-relaxed.js'), wasm: new URL('./core-relaxed.wasm', import.meta.url) },
  simd: { glue: () => import('./core-simd.js'), wasm: new URL('./core-simd.wasm', import.meta.url) },
};
const SIZE_T_BYTES = 4;
const MAX_INT32 = 2 ** 31 - 1;
/** VITRINE_ALPHA_*. */
const ALPHA: Readonly<Record<Alpha, number>> = { white: 0, drop: 1 };

/** One model in WebAssembly. A call that fails throws a VitrineError. */
export class Core {
  readonly #module: CoreModule;
  readonly #threads: number;
  /** A size_t for calls that return one through a pointer. */
  readonly #size: number;
  #model = 0;

  private constructor(module: CoreModule, threads: number) {
    this.#module = module;
    this.#threads = threads;
    this.#size = module._vitrine_alloc(SIZE_T_BYTES) >>> 0;
  }

  /** Compiles and starts a build of the core with `threads` threads, the calling one among them. */
  static async start(simd: Simd, threads: number): Promise<Core> {
    const build = BUILDS[simd];
    const [wasm, { default: factory }] = await Promise.all([compile(build.wasm), build.glue()]);
    const module = await new Promise<CoreModule>((resolve, reject) => {
      factory({
        poolSize: threads - 1,
        instantiateWasm(imports, receive) {
          WebAssembly.instantiate(wasm, imports).then((instance) => receive(instance, wasm), reject);
          return {};
        },
      }).then(resolve, reject);
    });
    return new Core(module, threads);
  }

  /** Bytes of the heap; it never shrinks, so this is its peak. */
  get heap(): number {
    return this.#module.wasmMemory.buffer.byteLength;
  }

  /** Starts a model from its configuration; an earlier one is dropped. */
  create({ config, preprocessor, labels }: JsonFiles): void {
    this.#module._vitrine_destroy(this.#model);
    const texts = [config, preprocessor, labels].map((text) => this.#copyText(text));
    const [c, p, l] = texts as [number, number, number];
    this.#model = this.#module._vitrine_create(c, p, l) >>> 0;
    for (const text of texts) this.#module._vitrine_free(text);
    this.#require(this.#model);
    this.#check(this.#module._vitrine_use_cpu(this.#model, this.#threads));
  }

  /** The next bytes of model.safetensors. */
  writeWeights(bytes: Uint8Array): void {
    const module = this.#module;
    for (let offset = 0; offset < bytes.length;) {
      const window = module._vitrine_weights_reserve(this.#model, bytes.length - offset, this.#size) >>> 0;
      this.#require(window);
      const part = bytes.subarray(offset, offset + this.#readSize());
      this.#bytes(window, part.length).set(part);
      this.#check(module._vitrine_weights_commit(this.#model, part.length));
      offset += part.length;
    }
  }

  /** Bytes of the whole file, as its header announces them; 0 until the header is complete. */
  weightsExpected(): number {
    return this.#module._vitrine_weights_expected(this.#model);
  }

  finishWeights(): void {
    this.#check(this.#module._vitrine_weights_finish(this.#model));
  }

  info(): CoreInfo {
    return this.#json(this.#module._vitrine_info(this.#model)) as CoreInfo;
  }

  /** The types of picture files that setEncoded decodes: 'image/png' and so on. */
  imageFormats(): string[] {
    return this.#json(this.#module._vitrine_image_formats()) as string[];
  }

  /** Makes the picture in this file's bytes the current one. */
  setEncoded(bytes: Uint8Array): void {
    this.#reserveImage(bytes);
    this.#check(this.#module._vitrine_image_decode(this.#model, bytes.length));
  }

  /** Makes these pixels the current picture. */
  setPixels({ width, height, data }: Pixels): void {
    this.#reserveImage(data);
    this.#check(this.#module._vitrine_image_rgba(this.#model, width, height));
  }

  classify(topK: number, alpha: Alpha): { labels: Label[]; ms: Omit<Timing, 'decode'> } {
    const limit = Math.min(topK, MAX_INT32);
    const json = this.#module._vitrine_classify(this.#model, limit, ALPHA[alpha]);
    return this.#json(json) as ReturnType<Core['classify']>;
  }

  logits(alpha: Alpha): Float32Array {
    return this.#floats(this.#module._vitrine_logits(this.#model, ALPHA[alpha], this.#size));
  }

  features(alpha: Alpha): Float32Array {
    return this.#floats(this.#module._vitrine_features(this.#model, ALPHA[alpha], this.#size));
  }

  /** Of a normalised tensor [in_chans, height, width]. */
  logitsOfTensor(tensor: Float32Array): Float32Array {
    const module = this.#module;
    const input = module._vitrine_alloc(tensor.byteLength) >>> 0;
    this.#require(input);
    new Float32Array(module.wasmMemory.buffer, input, tensor.length).set(tensor);
    try {
      return this.#floats(module._vitrine_logits_of_tensor(this.#model, input, tensor.length, this.#size));
    } finally {
      module._vitrine_free(input);
    }
  }

  #reserveImage(bytes: Uint8Array | Uint8ClampedArray): void {
    const memory = this.#module._vitrine_image_reserve(this.#model, bytes.length) >>> 0;
    this.#require(memory);
    this.#bytes(memory, bytes.length).set(bytes);
  }

  #bytes(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.#module.wasmMemory.buffer, pointer, length);
  }

  #readSize(): number {
    return new Uint32Array(this.#module.wasmMemory.buffer, this.#size, 1)[0]!;
  }

  /** Copies `text` to the heap, zero-terminated; 0 (NULL) for undefined. */
  #copyText(text: string | undefined): number {
    if (text === undefined) return 0;
    const bytes = new TextEncoder().encode(`${text}\0`);
    const pointer = this.#module._vitrine_alloc(bytes.length) >>> 0;
    this.#require(pointer);
    this.#bytes(pointer, bytes.length).set(bytes);
    return pointer;
  }

  #readText(pointer: number): string {
    const heap = new Uint8Array(this.#module.wasmMemory.buffer);
    // A copy, because TextDecoder refuses shared memory.
    return new TextDecoder().decode(heap.slice(pointer, heap.indexOf(0, pointer)));
  }

  #json(pointer: number): unknown {
    this.#require(pointer);
    return JSON.parse(this.#readText(pointer >>> 0));
  }

  #floats(pointer: number): Float32Array {
    this.#require(pointer);
    return new Float32Array(this.#module.wasmMemory.buffer, pointer >>> 0, this.#readSize()).slice();
  }

  #check(status: number): void {
    if (status < 0) throw this.#lastError();
  }

  #require(pointer: number): void {
    if (pointer === 0) throw this.#lastError();
  }

  #lastError(): VitrineError {
    const text = this.#readText(this.#module._vitrine_last_error() >>> 0);
    if (text === '') return new VitrineError('out_of_memory', 'no memory left for the picture or model');
    const { status, message } = JSON.parse(text) as WireError;
    return new VitrineError(status, message);
  }
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    if (response.headers.get('Content-Type') === 'application/wasm') {
      return await WebAssembly.compileStreaming(response);
    }
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (cause) {
    throw new VitrineError(
      'network',
      `the core could not be loaded from ${url.href} (${String(cause)}); is it served beside worker.js, and does ` +
        "the Content-Security-Policy's script-src have 'wasm-unsafe-eval'?",
      { cause },
    );
  }
}
