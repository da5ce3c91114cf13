#include "cpu/gemm.h"

#include "xnnpack/config.h"
#include "xnnpack/gemm.h"
#include "xnnpack/hardware-config.h"
#include "xnnpack/packw.h"

namespace vitrine {

#if defined(__wasm__)

/// Other kernels than XNNPACK would take on x86, measured in Chromium 156 in GFLOPS: relaxed 6 x 8
/// loadsplat 52, where its 4 x 8 does 43 (older V8s ran out of registers for more); simd 4 x 8
/// loadsplat 34, where its splat does 28. Naming them here also keeps its table, and with it the
/// kernels of every other operator, out of the download.
std::optional<Gemm> FindGemm(std::string_view /*isa*/) {
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
namespace {

/// XNNPACK's own choice for this machine.
std::optional<Gemm> FindBestGemm() {
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

template <typename Tile, typename Pack>
Gemm MakeGemm(size_t mr, size_t nr, Tile* tile, Tile* row, Pack* pack) {
  return {.mr = mr,
          .nr = nr,
          .kr = 1,
          .sr = 1,
          .tile = reinterpret_cast<xnn_gemm_ukernel_fn>(tile),
          .row = reinterpret_cast<xnn_gemm_ukernel_fn>(row),
          .pack = reinterpret_cast<xnn_packw_gemm_goi_ukernel_fn>(pack)};
}

}  // namespace

std::optional<Gemm> FindGemm(std::string_view isa) {
  const std::optional<Gemm> best = FindBestGemm();
#if defined(__x86_64__)
  // Older sets than the machine's, when asked for by name: what XNNPACK takes where they are all
  // there is.
  if (best && isa == "baseline") {
    return MakeGemm(4, 8, xnn_f32_gemm_minmax_ukernel_4x8__sse_load1,
                    xnn_f32_gemm_minmax_ukernel_1x8__sse_load1,
                    xnn_x32_packw_gemm_goi_ukernel_x8__sse2_u4);
  }
  if (best && isa == "avx2") {
    return MakeGemm(5, 16, xnn_f32_gemm_minmax_ukernel_5x16__fma3_broadcast,
                    xnn_f32_gemm_minmax_ukernel_1x16__fma3_broadcast,
                    xnn_x32_packw_gemm_goi_ukernel_x16__avx_u4);
  }
#endif
  return best;
}

#endif

}  // namespace vitrine
