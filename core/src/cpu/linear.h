// A fully connected layer on XNNPACK's GEMM microkernels.
#ifndef VITRINE_CPU_LINEAR_H_
#define VITRINE_CPU_LINEAR_H_

#include <cstddef>

#include "cpu/gemm.h"
#include "cpu/kernels/kernels.h"
#include "cpu/thread_pool.h"
#include "vitrine/buffer.h"
#include "vitrine/config.h"
#include "vitrine/error.h"

namespace vitrine {

/// output = activation(input weight^T + bias).
///
/// XNNPACK's own fully connected operator walks all output columns for every few rows and streams
/// the whole weight matrix each time. Here its microkernels and packing run under a schedule that
/// keeps a block of packed columns in the second-level cache for all rows, and that applies the
/// activation to a tile while it is in the first.
class Linear {
 public:
  Linear() = default;  // empty: Pack makes a usable one

  /// weight: [output_cols, input_cols]; bias: [output_cols] or null. Both may be freed afterwards.
  /// Errors: kOutOfMemory.
  [[nodiscard]] static Result<Linear> Pack(const Gemm& gemm, size_t input_cols, size_t output_cols,
                                           const float* weight, const float* bias);

  bool packed() const { return weights_.data() != nullptr; }

  size_t bytes() const { return weights_.bytes(); }

  /// With the gemm that packed. input: [rows, input_cols], readable for kReadPastEnd floats past
  /// its end; output: [rows, output_cols].
  void Run(const Gemm& gemm, const Kernels& kernels, size_t rows, const float* input, float* output,
           Activation activation, ThreadPool& pool) const;

  static constexpr size_t kReadPastEnd = 32;

 private:
  size_t input_cols_ = 0;
  size_t output_cols_ = 0;
  size_t col_floats_ = 0;  // packed floats per output column
  size_t block_cols_ = 0;  // output columns of a block
  Buffer<float> weights_;
};

}  // namespace vitrine

#endif  // VITRINE_CPU_LINEAR_H_
