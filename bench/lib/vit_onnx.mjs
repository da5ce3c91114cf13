// The same Vision Transformer as an ONNX graph, node by node what torch.onnx.export writes for timm's model:
// the form that onnxruntime's optimiser knows, so that it fuses here what it fuses for its users.
import { OnnxGraph } from './onnx.mjs';
import { IMG_SIZE, LAYER_NORM_EPS, NUM_CLASSES, NUM_PATCHES, NUM_TOKENS, PATCH_SIZE, SIZES } from './vit.mjs';

/** The file's chunks. Input "pixel_values" [1, 3, 224, 224], output "logits" [1, 1000]. */
export function encodeVit(size, weights) {
  const { embedDim, numHeads, depth } = SIZES[size];
  const headDim = embedDim / numHeads;
  const graph = new OnnxGraph();
  const tensors = new Map(weights.map((tensor) => [tensor.name, tensor]));

  const weight = (name) => {
    const { shape, data } = tensors.get(name);
    return graph.constant(name, shape, data);
  };
  const scalar = (name, value) => graph.constant(name, [], new Float32Array([value]));
  const linear = (x, name) => {
    const { shape, data } = tensors.get(`${name}.weight`);
    const transposed = graph.constant(`${name}.weight.T`, [...shape].reverse(), transpose(data, shape));
    const product = graph.node(`${name}.matmul`, 'MatMul', [x, transposed]);
    return graph.node(name, 'Add', [weight(`${name}.bias`), product]);
  };
  const layerNorm = (x, name) =>
    graph.node(name, 'LayerNormalization', [x, weight(`${name}.weight`), weight(`${name}.bias`)], {
      axis: -1,
      epsilon: LAYER_NORM_EPS,
    });
  const reshape = (x, name, dims) => graph.node(name, 'Reshape', [x, graph.integers(`${name}.shape`, dims)]);

  const embed = (pixels) => {
    const projection = [pixels, weight('patch_embed.proj.weight'), weight('patch_embed.proj.bias')];
    const window = { kernel_shape: [PATCH_SIZE, PATCH_SIZE], strides: [PATCH_SIZE, PATCH_SIZE] };
    const grid = graph.node('patch_embed.proj', 'Conv', projection, window); // [1, embed_dim, 14, 14]
    const flat = reshape(grid, 'patch_embed.flat', [1, embedDim, NUM_PATCHES]);
    const patches = graph.node('patch_embed', 'Transpose', [flat], { perm: [0, 2, 1] });
    const tokens = graph.node('tokens', 'Concat', [weight('cls_token'), patches], { axis: 1 });
    return graph.node('embed', 'Add', [tokens, weight('pos_embed')]); // [1, num_tokens, embed_dim]
  };

  const attention = (x, name) => {
    const qkv = reshape(linear(x, `${name}.qkv`), `${name}.heads`, [1, NUM_TOKENS, 3, numHeads, headDim]);
    const stacked = graph.node(`${name}.stacked`, 'Transpose', [qkv], { perm: [2, 0, 3, 1, 4] });
    const parts = graph.nodeOf(
      ['q', 'k', 'v'].map((part) => `${name}.${part}.slice`),
      'Split',
      [stacked, graph.integers(`${name}.split`, [1, 1, 1])],
      { axis: 0 },
    );
    const first = graph.integers(`${name}.axis`, [0]);
    const [q, k, v] = parts.map((part) => graph.node(`${part}.squeezed`, 'Squeeze', [part, first]));
    const scaled = graph.node(`${name}.q`, 'Mul', [q, scalar(`${name}.scale`, headDim ** -0.5)]);
    const kTransposed = graph.node(`${name}.k`, 'Transpose', [k], { perm: [0, 1, 3, 2] });
    const scores = graph.node(`${name}.scores`, 'MatMul', [scaled, kTransposed]); // [1, heads, tokens, tokens]
    const shares = graph.node(`${name}.softmax`, 'Softmax', [scores], { axis: -1 });
    const mixed = graph.node(`${name}.mixed`, 'MatMul', [shares, v]);
    const joined = graph.node(`${name}.joined`, 'Transpose', [mixed], { perm: [0, 2, 1, 3] });
    return linear(reshape(joined, `${name}.output`, [1, NUM_TOKENS, embedDim]), `${name}.proj`);
  };

  /** x / 2 * (1 + erf(x / sqrt(2))) */
  const gelu = (x, name) => {
    const divided = graph.node(`${name}.div`, 'Div', [x, scalar(`${name}.sqrt2`, Math.SQRT2)]);
    const erf = graph.node(`${name}.erf`, 'Erf', [divided]);
    const sum = graph.node(`${name}.sum`, 'Add', [erf, scalar(`${name}.one`, 1)]);
    const product = graph.node(`${name}.product`, 'Mul', [x, sum]);
    return graph.node(name, 'Mul', [product, scalar(`${name}.half`, 0.5)]);
  };

  const block = (x, name) => {
    const attended = attention(layerNorm(x, `${name}.norm1`), `${name}.attn`);
    const middle = graph.node(`${name}.middle`, 'Add', [x, attended]);
    const hidden = gelu(linear(layerNorm(middle, `${name}.norm2`), `${name}.mlp.fc1`), `${name}.mlp.act`);
    return graph.node(name, 'Add', [middle, linear(hidden, `${name}.mlp.fc2`)]);
  };

  let x = embed(graph.input('pixel_values', [1, 3, IMG_SIZE, IMG_SIZE]));
  for (let i = 0; i < depth; i++) x = block(x, `blocks.${i}`);
  const index = graph.constant('cls_index', [], BigInt64Array.of(0n));
  const cls = graph.node('cls', 'Gather', [layerNorm(x, 'norm'), index], { axis: 1 }); // [1, embed_dim]
  const head = [cls, weight('head.weight'), weight('head.bias')];
  graph.output(graph.node('logits', 'Gemm', head, { transB: 1 }), [1, NUM_CLASSES]);
  return graph.encode();
}

/** [rows, columns] -> [columns, rows] */
function transpose(data, [rows, columns]) {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = data[row * columns + column];
    }
  }
  return result;
}
