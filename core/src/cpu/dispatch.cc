// Which sets of kernels this build and this machine have. The build compiles core/src/cpu/kernels
// once for each set named here.
#include <array>

#include "cpu/kernels/kernels.h"

namespace vitrine {

#if defined(__wasm_relaxed_simd__)
namespace relaxed {
Kernels Table();
}
std::span<const Kernels> SupportedKernels() {
  static const std::array kernels = {relaxed::Table()};
  return kernels;
}

#elif defined(__wasm__)
namespace simd {
Kernels Table();
}
std::span<const Kernels> SupportedKernels() {
  static const std::array kernels = {simd::Table()};
  return kernels;
}

#elif defined(__x86_64__)
namespace baseline {
Kernels Table();
}
namespace avx2 {
Kernels Table();
}
namespace avx512 {
Kernels Table();
}
std::span<const Kernels> SupportedKernels() {
  static const std::array kernels = {baseline::Table(), avx2::Table(), avx512::Table()};
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") &&
                          __builtin_cpu_supports("avx512dq") &&
                          __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return std::span(kernels).first(has_avx512 ? 3 : has_avx2 ? 2 : 1);
}

#else
namespace baseline {
Kernels Table();
}
std::span<const Kernels> SupportedKernels() {
  static const std::array kernels = {baseline::Table()};
  return kernels;
}
#endif

}  // namespace vitrine
