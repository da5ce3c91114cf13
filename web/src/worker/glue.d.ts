// The Emscripten module of the core, as far as core.ts uses it. Pointers are byte offsets.
interface CoreModule {
  wasmMemory: WebAssembly.Memory;
  _vitrine_alloc(size: number): number;
  _vitrine_free(memory: number): void;
  _vitrine_last_error(): number;
  _vitrine_create(config: number, preprocessor: number, labels: number): number;
  _vitrine_use_cpu(model: number, threads: number): number;
  _vitrine_destroy(model: number): void;
  _vitrine_weights_reserve(model: number, wanted: number, granted: number): number;
  _vitrine_weights_commit(model: number, size: number): number;
  _vitrine_weights_finish(model: number): number;
  _vitrine_weights_expected(model: number): number;
  _vitrine_info(model: number): number;
  _vitrine_image_reserve(model: number, size: number): number;
  _vitrine_image_decode(model: number, size: number): number;
  _vitrine_image_rgba(model: number, width: number, height: number): number;
  _vitrine_image_formats(): number;
  _vitrine_classify(model: number, topK: number, alpha: number): number;
  _vitrine_logits(model: number, alpha: number, length: number): number;
  _vitrine_features(model: number, alpha: number, length: number): number;
  _vitrine_logits_of_tensor(model: number, tensor: number, tensorLength: number, length: number): number;
}

interface CoreOptions {
  /** Threads beside the calling one. */
  poolSize: number;
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
}

type CoreFactory = (options: CoreOptions) => Promise<CoreModule>;

declare module '*/core-relaxed.js' {
  const factory: CoreFactory;
  export default factory;
}

declare module '*/core-simd.js' {
  const factory: CoreFactory;
  export default factory;
}
