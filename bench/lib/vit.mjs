// The Vision Transformers that are timed: timm's vit_{tiny,small,base}_patch16_224 with random weights.

export const IMG_SIZE = 224;
export const PATCH_SIZE = 16;
export const NUM_CLASSES = 1000;
export const NUM_PATCHES = (IMG_SIZE / PATCH_SIZE) ** 2;
export const NUM_TOKENS = NUM_PATCHES + 1;
export const LAYER_NORM_EPS = 1e-6;

const DEPTH = 12;
const MLP_RATIO = 4;

export const SIZES = {
  tiny: { embedDim: 192, numHeads: 3, depth: DEPTH },
  small: { embedDim: 384, numHeads: 6, depth: DEPTH },
  base: { embedDim: 768, numHeads: 12, depth: DEPTH },
};

/** config.json as timm writes it. */
export function timmConfig(size) {
  return {
    architecture: `vit_${size}_patch16_224`,
    num_classes: NUM_CLASSES,
    num_features: SIZES[size].embedDim,
    global_pool: 'token',
    pretrained_cfg: {
      input_size: [3, IMG_SIZE, IMG_SIZE],
      interpolation: 'bicubic',
      crop_pct: 0.9,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      num_classes: NUM_CLASSES,
    },
  };
}

/**
 * Random weights by timm's names, as [{ name, shape, data }]; the same ones each time. Linear layers are
 * uniform as PyTorch makes them, but queries, keys and the head are larger: then a wrong softmax or a lost
 * bias shows in the logits.
 */
export function randomWeights(size) {
  const { embedDim, depth } = SIZES[size];
  const uniform = generator(embedDim);
  const weights = [];
  const add = (name, shape, centre, spread) => {
    const data = new Float32Array(shape.reduce((product, dim) => product * dim, 1));
    for (let i = 0; i < data.length; i++) data[i] = centre + spread * uniform();
    weights.push({ name, shape, data });
  };
  const linear = (name, outputs, inputs, gain = 1) => {
    add(`${name}.weight`, [outputs, inputs], 0, gain / Math.sqrt(inputs));
    add(`${name}.bias`, [outputs], 0, 1 / Math.sqrt(inputs));
  };
  const norm = (name) => {
    add(`${name}.weight`, [embedDim], 1, 0.2);
    add(`${name}.bias`, [embedDim], 0, 0.2);
  };

  const patchValues = 3 * PATCH_SIZE ** 2;
  add('cls_token', [1, 1, embedDim], 0, 0.04);
  add('pos_embed', [1, NUM_TOKENS, embedDim], 0, 0.04);
  add('patch_embed.proj.weight', [embedDim, 3, PATCH_SIZE, PATCH_SIZE], 0, 1 / Math.sqrt(patchValues));
  add('patch_embed.proj.bias', [embedDim], 0, 1 / Math.sqrt(patchValues));
  for (let i = 0; i < depth; i++) {
    norm(`blocks.${i}.norm1`);
    linear(`blocks.${i}.attn.qkv`, 3 * embedDim, embedDim, 3);
    linear(`blocks.${i}.attn.proj`, embedDim, embedDim);
    norm(`blocks.${i}.norm2`);
    linear(`blocks.${i}.mlp.fc1`, MLP_RATIO * embedDim, embedDim);
    linear(`blocks.${i}.mlp.fc2`, embedDim, MLP_RATIO * embedDim);
  }
  norm('norm');
  linear('head', NUM_CLASSES, embedDim, 4);
  return weights;
}

/** A normalised picture of noise, [3, 224, 224]. */
export function randomPixels() {
  const uniform = generator(1);
  return Float32Array.from({ length: 3 * IMG_SIZE ** 2 }, uniform);
}

/** Numbers in [-1, 1): Marsaglia's xorshift on 32 bits. */
function generator(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2 ** 31;
  };
}
