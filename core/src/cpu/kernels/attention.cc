// Attention of one head, fused: scores, softmax and the weighted sum of a few queries at a time
// stay in the first-level cache. Keys and values are packed into panels once per head, so that the
// inner loops read them in order, whatever the number of tokens.
#include "cpu/kernels/isa.h"
#include "cpu/kernels/simd.h"

namespace vitrine::VITRINE_ISA {
namespace {

constexpr size_t kPanel = 2 * kLanes;  // columns of a packed panel

size_t RoundUp(size_t n) { return (n + kPanel - 1) / kPanel * kPanel; }

/// scores[0..n) -> exp(scores - max), the padding up to RoundUp(n) is left alone; returns 1 / sum.
float SoftmaxNumerators(float* scores, size_t n) {
  const size_t whole = n - n % kLanes;
  F32 maxima = Splat(scores[0]);
  for (size_t i = 0; i < whole; i += kLanes) maxima = Max(maxima, Load(scores + i));
  float max = MaxLane(maxima);
  for (size_t i = whole; i < n; ++i) max = max < scores[i] ? scores[i] : max;

  F32 sums = {};
  for (size_t i = 0; i < whole; i += kLanes) {
    const F32 e = Exp(Load(scores + i) - Splat(max));
    Store(scores + i, e);
    sums += e;
  }
  float sum = Sum(sums);
  if (whole < n) {
    const F32 e = Exp(LoadPart(scores + whole, n - whole, max) - Splat(max));
    StorePart(scores + whole, n - whole, e);
    for (size_t i = 0; i < n - whole; ++i) sum += e[i];
  }
  return 1.0f / sum;
}

}  // namespace

size_t AttentionRows() { return kTileRows; }

// Keys: [ceil(num_tokens / kPanel)] panels of [head_dim, kPanel]; values: [ceil(head_dim / kPanel)]
// panels of [num_tokens, kPanel].
size_t AttentionPackedSize(const AttentionShape& shape) {
  return RoundUp(shape.num_tokens) * shape.head_dim + RoundUp(shape.head_dim) * shape.num_tokens;
}

size_t AttentionScratchSize(const AttentionShape& shape) {
  return kTileRows * RoundUp(shape.num_tokens);
}

void AttentionPack(const AttentionShape& shape, const float* k, const float* v, float* packed) {
  for (size_t first = 0; first < shape.num_tokens; first += kPanel) {
    const size_t count = shape.num_tokens - first < kPanel ? shape.num_tokens - first : kPanel;
    for (size_t token = 0; token < kPanel; ++token) {
      const float* row = k + (first + (token < count ? token : 0)) * shape.qkv_stride;
      for (size_t d = 0; d < shape.head_dim; ++d) packed[d * kPanel + token] = row[d] * shape.scale;
    }
    packed += shape.head_dim * kPanel;
  }
  for (size_t first = 0; first < shape.head_dim; first += kPanel) {
    const size_t count = shape.head_dim - first < kPanel ? shape.head_dim - first : kPanel;
    for (size_t token = 0; token < shape.num_tokens; ++token) {
      const float* row = v + token * shape.qkv_stride + first;
      if (count == kPanel) {
        Store(packed, Load(row));
        Store(packed + kLanes, Load(row + kLanes));
      } else {
        for (size_t d = 0; d < kPanel; ++d) packed[d] = d < count ? row[d] : 0.0f;
      }
      packed += kPanel;
    }
  }
}

void Attention(const AttentionShape& shape, size_t rows, const float* q, const float* packed,
               float* scratch, float* output) {
  const size_t stride = RoundUp(shape.num_tokens);
  const float* a[kTileRows];
  for (size_t r = 0; r < kTileRows; ++r) a[r] = q + (r < rows ? r : rows - 1) * shape.qkv_stride;

  // scores = q (k * scale)^T  [kTileRows, num_tokens]
  for (size_t first = 0; first < shape.num_tokens; first += kPanel) {
    F32 acc[kTileRows][2] = {};
    MultiplyTile(a, packed, shape.head_dim, acc);
    packed += shape.head_dim * kPanel;
#pragma GCC unroll 8
    for (size_t r = 0; r < kTileRows; ++r) {
      Store(scratch + r * stride + first, acc[r][0]);
      Store(scratch + r * stride + first + kLanes, acc[r][1]);
    }
  }

  float inv_sum[kTileRows];
  for (size_t r = 0; r < kTileRows; ++r) {
    a[r] = scratch + r * stride;
    inv_sum[r] = r < rows ? SoftmaxNumerators(scratch + r * stride, shape.num_tokens) : 0.0f;
  }

  // output = scores v  [kTileRows, head_dim]
  for (size_t first = 0; first < shape.head_dim; first += kPanel) {
    F32 acc[kTileRows][2] = {};
    MultiplyTile(a, packed, shape.num_tokens, acc);
    packed += shape.num_tokens * kPanel;
    const size_t count = shape.head_dim - first < kPanel ? shape.head_dim - first : kPanel;
#pragma GCC unroll 8
    for (size_t r = 0; r < kTileRows;
         ++r) {  // a constant bound: with `rows` acc would leave the registers
      if (r >= rows) break;
      float* out = output + r * shape.output_stride + first;
      const F32 scale = Splat(inv_sum[r]);
      if (count == kPanel) {
        Store(out, acc[r][0] * scale);
        Store(out + kLanes, acc[r][1] * scale);
      } else {
        float columns[kPanel];
        Store(columns, acc[r][0] * scale);
        Store(columns + kLanes, acc[r][1] * scale);
        for (size_t d = 0; d < count; ++d) out[d] = columns[d];
      }
    }
  }
}

}  // namespace vitrine::VITRINE_ISA
