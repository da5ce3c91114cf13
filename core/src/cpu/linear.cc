#include "cpu/linear.h"

#include <xnnpack.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/text.h"
#include "cpu/kernels/kernels.h"
#include "xnnpack/config.h"
#include "xnnpack/gemm.h"
#include "xnnpack/hardware-config.h"
#include "xnnpack/packw.h"

namespace vitrine {
namespace {

// Packed bytes of a block of columns: fits beside the rows in the smallest common second-level
// cache.
constexpr size_t kBlockBytes = 256 * 1024;

static_assert(Linear::kReadPastEnd * sizeof(float) >= XNN_EXTRA_BYTES);

size_t RoundUp(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// The microkernels for this machine: a tile is `mr` rows by `nr` columns.
struct Gemm {
  size_t mr;
  size_t nr;
  size_t kr;
  size_t sr;
  xnn_gemm_ukernel_fn tile;
  xnn_gemm_ukernel_fn row;  // one row
  xnn_packw_gemm_goi_ukernel_fn pack;
};

constexpr xnn_f32_minmax_params kNoClamp = {
    {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()}};

#if defined(__wasm__)

/// Other kernels than XNNPACK would take on x86, measured in Chromium 156 in GFLOPS: relaxed 6 x 8
/// loadsplat 52, where its 4 x 8 does 43 (older V8s ran out of registers for more); simd 4 x 8
/// loadsplat 34, where its splat does 28. Naming them here also keeps its table, and with it the
/// kernels of every other operator, out of the download.
std::optional<Gemm> FindGemm() {
  const bool is_x86 = xnn_init_hardware_config()->is_x86;
  const auto choose = [is_x86](auto* x86, auto* other) {
    return reinterpret_cast<xnn_gemm_ukernel_fn>(is_x86 ? x86 : other);
  };
  return Gemm{
#if defined(__wasm_relaxed_simd__)
      .mr = 6,
      .nr = 8,
      .kr = 1,
      .sr = 1,
      .tile = choose(xnn_f32_gemm_minmax_ukernel_6x8__wasmrelaxedsimd_fma_loadsplat,
                     xnn_f32_gemm_minmax_ukernel_6x8__wasmrelaxedsimd_fma_splat),
      .row = choose(xnn_f32_gemm_minmax_ukernel_1x8__wasmrelaxedsimd_fma_loadsplat,
                    xnn_f32_gemm_minmax_ukernel_1x8__wasmrelaxedsimd_fma_splat),
#else
      .mr = is_x86 ? 4u : 5u,
      .nr = 8,
      .kr = 1,
      .sr = 1,
      .tile = choose(xnn_f32_gemm_minmax_ukernel_4x8__wasmsimd_x86_loadsplat,
                     xnn_f32_gemm_minmax_ukernel_5x8__wasmsimd_arm_splat),
      .row = choose(xnn_f32_gemm_minmax_ukernel_1x8__wasmsimd_x86_loadsplat,
                    xnn_f32_gemm_minmax_ukernel_1x8__wasmsimd_arm_splat),
#endif
      .pack = reinterpret_cast<xnn_packw_gemm_goi_ukernel_fn>(
          xnn_x32_packw_gemm_goi_ukernel_x8__wasmsimd_u4),
  };
}

#else

std::optional<Gemm> FindGemm() {
  const xnn_gemm_config* config = xnn_init_f32_gemm_config();
  if (config == nullptr) return std::nullopt;
  return Gemm{.mr = config->mr,
              .nr = config->nr,
              .kr = size_t{1} << config->log2_kr,
              .sr = size_t{1} << config->log2_sr,
              .tile = config->minmax.gemm[config->mr - 1].function[XNN_UARCH_DEFAULT],
              .row = config->minmax.gemm[0].function[XNN_UARCH_DEFAULT],
              .pack = config->pack_gemm_goi};
}

#endif

const std::optional<Gemm>& GetGemm() {
  static const std::optional<Gemm> gemm = FindGemm();
  return gemm;
}

}  // namespace

Result<Linear> Linear::Pack(size_t input_cols, size_t output_cols, const float* weight,
                            const float* bias) {
  const std::optional<Gemm>& gemm = GetGemm();
  if (!gemm) {
    return Fail(Status::kUnsupported,
                "this processor has no SIMD instructions that XNNPACK knows (x86: SSE2, Arm: NEON, "
                "WebAssembly: "
                "simd128); use another machine or browser");
  }
  Linear linear;
  linear.input_cols_ = input_cols;
  linear.output_cols_ = output_cols;
  linear.col_floats_ = 1 + RoundUp(input_cols, gemm->kr * gemm->sr);  // the bias, then the weights
  linear.block_cols_ =
      std::max(kBlockBytes / sizeof(float) / linear.col_floats_ / gemm->nr, size_t{1}) * gemm->nr;
  linear.weights_ = Buffer<float>::Allocate(linear.col_floats_ * RoundUp(output_cols, gemm->nr));
  if (!linear.packed()) {
    return Fail(Status::kOutOfMemory,
                Concat("packed weights of ", output_cols, " x ", input_cols,
                       ": out of memory; use a smaller model or free memory"));
  }
  gemm->pack(/*g=*/1, output_cols, input_cols, gemm->nr, gemm->kr, gemm->sr, weight, bias,
             /*scale=*/nullptr, linear.weights_.data(), /*extra_bytes=*/0, /*params=*/nullptr);
  return linear;
}

void Linear::Run(size_t rows, const float* input, float* output, Activation activation,
                 ThreadPool& pool) const {
  const Gemm& gemm = *GetGemm();
  const Kernels& kernels = GetKernels();
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
