// onnxruntime-web's smallest build: WebAssembly alone.
import * as ort from '/onnxruntime/ort.wasm.min.mjs';

/** Resolves to a function from pixels [3, 224, 224] to a promise of logits [1000]. */
export async function load(folder, threads) {
  ort.env.wasm.wasmPaths = '/onnxruntime/';
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(`${folder}/model.onnx`, {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
  return async (pixels) => {
    const outputs = await session.run({ pixel_values: new ort.Tensor('float32', pixels, [1, 3, 224, 224]) });
    return outputs.logits.data;
  };
}
