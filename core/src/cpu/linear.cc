#include "cpu/linear.h"

#include <algorithm>
#include <limits>

#include "vitrine/text.h"

namespace vitrine {
namespace {

// Packed bytes of a block of columns: fits beside the rows in the smallest common second-level
// cache.
constexpr size_t kBlockBytes = 256 * 1024;

static_assert(Linear::kReadPastEnd * sizeof(float) >= XNN_EXTRA_BYTES);

size_t RoundUp(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

constexpr xnn_f32_minmax_params kNoClamp = {
    {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()}};

}  // namespace

Result<Linear> Linear::Pack(const Gemm& gemm, size_t input_cols, size_t output_cols,
                            const float* weight, const float* bias) {
  Linear linear;
  linear.input_cols_ = input_cols;
  linear.output_cols_ = output_cols;
  linear.col_floats_ = 1 + RoundUp(input_cols, gemm.kr * gemm.sr);  // the bias, then the weights
  linear.block_cols_ =
      std::max(kBlockBytes / sizeof(float) / linear.col_floats_ / gemm.nr, size_t{1}) * gemm.nr;
  linear.weights_ = Buffer<float>::Allocate(linear.col_floats_ * RoundUp(output_cols, gemm.nr));
  if (!linear.packed()) {
    return Fail(Status::kOutOfMemory,
                Concat("packed weights of ", output_cols, " x ", input_cols,
                       ": out of memory; use a smaller model or free memory"));
  }
  gemm.pack(/*g=*/1, output_cols, input_cols, gemm.nr, gemm.kr, gemm.sr, weight, bias,
            /*scale=*/nullptr, linear.weights_.data(), /*extra_bytes=*/0, /*params=*/nullptr);
  return linear;
}

void Linear::Run(const Gemm& gemm, const Kernels& kernels, size_t rows, const float* input,
                 float* output, Activation activation, ThreadPool& pool) const {
  const size_t mr = rows == 1 ? 1 : gemm.mr;
  const xnn_gemm_ukernel_fn tile = rows == 1 ? gemm.row : gemm.tile;
  const size_t num_blocks = (output_cols_ + block_cols_ - 1) / block_cols_;
  pool.For2d(num_blocks, (rows + mr - 1) / mr, [&](size_t /*thread*/, size_t block, size_t i) {
    const size_t first_row = i * mr;
    const size_t first_col = block * block_cols_;
    const size_t num_rows = std::min(mr, rows - first_row);
    const size_t num_cols = std::min(block_cols_, output_cols_ - first_col);
    float* out = output + first_row * output_cols_ + first_col;
    tile(num_rows, num_cols, input_cols_ * sizeof(float), input + first_row * input_cols_,
         input_cols_ * sizeof(float), weights_.data() + first_col * col_floats_, out,
         output_cols_ * sizeof(float), gemm.nr * sizeof(float), &kNoClamp);
    if (activation == Activation::kNone) return;
    for (size_t row = 0; row < num_rows; ++row)
      kernels.activate(activation, num_cols, out + row * output_cols_);
  });
}

}  // namespace vitrine
