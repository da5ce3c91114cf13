// Vitrine for another harness: the "peers bench", which times further engines (LiteRT.js, TensorFlow.js, native
// onnxruntime ...) on random ViTs of its own. It looks for `adapters/NAME.mjs` in its own folder:
//
//   npm run build
//   cp bench/peers-adapter.mjs PEERS/adapters/vitrine.mjs
//   cd PEERS && VITRINE_DIST=REPOSITORY/web/dist node run.mjs --engine vitrine,litert,ort \
//     --model tiny,small,base --dtype f32 --threads 1,2
//
// Node reads what is declared here; the page calls create().
const NUM_FEATURES = { tiny: 192, small: 384, base: 768 };

export const tasks = ['logits', 'job'];
export const mounts = { '/vitrine/': globalThis.process?.env.VITRINE_DIST };
export const supports = ({ backend, dtype }) => backend === 'wasm' && dtype === 'f32';

export async function create({ model, threads }) {
  const { Classifier } = await import('/vitrine/index.js');
  const config = {
    architecture: `vit_${model}_patch16_224`,
    num_classes: 1000,
    num_features: NUM_FEATURES[model],
    global_pool: 'token',
    pretrained_cfg: { input_size: [3, 224, 224], crop_pct: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  };
  const weights = `/models/vit_${model}.safetensors`;
  const classifier = await Classifier.load({ config, weights }, { threads });
  const { info } = classifier;
  return {
    layout: 'nchw',
    note: `${info.simd} SIMD, ${info.threads} threads`,
    run: (pixels) => classifier.logits(pixels), // [3, 224, 224] -> [1000]
    job: async (photo) => ({ label: (await classifier.classify(photo)).labels[0].index }),
  };
}
