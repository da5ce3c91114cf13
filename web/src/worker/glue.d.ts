// The Emscripten module of the core, as far as core.ts uses it. Pointers are byte offsets.
interface CoreModule {
  wasmMemory: WebAssembly.Memory;
  _vitrine_alloc(size: number): number;
  _vitrine_free(memory: number): void;
  _vitrine_last_error(): number;
  _vitrine_create(config: number, preprocessor: number, labels: number, threads: number): number;
  _vitrine_destroy(classifier: number): void;
  _vitrine_weights_reserve(classifier: number, wanted: number, granted: number): number;
  _vitrine_weights_commit(classifier: number, size: number): number;
  _vitrine_weights_finish(classifier: number): number;
  _vitrine_info(classifier: number): number;
  _vitrine_image_reserve(classifier: number, size: number): number;
  _vitrine_image_decode(classifier: number, size: number): number;
  _vitrine_image_rgba(classifier: number, width: number, height: number): number;
  _vitrine_classify(classifier: number, topK: number, alpha: number): number;
  _vitrine_logits(classifier: number, alpha: number, length: number): number;
  _vitrine_features(classifier: number, alpha: number, length: number): number;
  _vitrine_logits_of_tensor(classifier: number, tensor: number, tensorLength: number, length: number): number;
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
