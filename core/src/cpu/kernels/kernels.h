// The loops XNNPACK has no operator for. Each source in this folder is compiled once per
// instruction set; `SupportedKernels` (dispatch.cc) has those of this machine.
#ifndef VITRINE_CPU_KERNELS_KERNELS_H_
#define VITRINE_CPU_KERNELS_KERNELS_H_

#include <cstddef>
#include <span>

#include "vitrine/config.h"

namespace vitrine {

/// What attention over one head needs to know; strides in floats.
struct AttentionShape {
  size_t num_tokens;  // keys and values
  size_t head_dim;
  size_t qkv_stride;     // between tokens of q, k and v
  size_t output_stride;  // between tokens of the output
  float scale;           // of q k^T
};

struct Kernels {
  const char* isa;

  /// y = (x - mean(x)) / sqrt(var(x) + eps) * gamma + beta over one row of `cols`; y may be x.
  /// torch.nn.LayerNorm: the variance is the biased one.
  void (*layer_norm)(const float* x, const float* gamma, const float* beta, float eps, size_t cols,
                     float* y);

  /// y += x.
  void (*add)(const float* x, size_t n, float* y);

  /// x = activation(x), in place.
  void (*activate)(Activation activation, size_t n, float* x);

  /// softmax(q k^T * scale) v of one head, in two phases: `attention_pack` rearranges the head's
  /// keys and values once, `attention` computes `rows` (at most attention_rows) queries from them.
  size_t attention_rows;
  size_t (*attention_packed_size)(const AttentionShape& shape);   // floats, per head
  size_t (*attention_scratch_size)(const AttentionShape& shape);  // floats, per thread
  void (*attention_pack)(const AttentionShape& shape, const float* k, const float* v,
                         float* packed);
  void (*attention)(const AttentionShape& shape, size_t rows, const float* q, const float* packed,
                    float* scratch, float* output);
};

/// The kernels of every instruction set that this build and this machine have, the best one last.
std::span<const Kernels> SupportedKernels();

}  // namespace vitrine

#endif  // VITRINE_CPU_KERNELS_KERNELS_H_
