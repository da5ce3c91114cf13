// The questions that XNNPACK on x86-64 asks the cpuinfo library, answered by the compiler's own
// builtins, so that one library less has to be fetched and built.
#ifndef VITRINE_CMAKE_CPUINFO_CPUINFO_H_
#define VITRINE_CMAKE_CPUINFO_CPUINFO_H_

#include <stdbool.h>
#include <stdint.h>

static inline bool cpuinfo_initialize(void) {
  __builtin_cpu_init();
  return true;
}

#define VITRINE_CPUINFO_HAS(name, feature) \
  static inline bool cpuinfo_has_x86_##name(void) { return __builtin_cpu_supports(feature) != 0; }
#define VITRINE_CPUINFO_LACKS(name) \
  static inline bool cpuinfo_has_x86_##name(void) { return false; }

VITRINE_CPUINFO_HAS(sse2, "sse2")
VITRINE_CPUINFO_HAS(ssse3, "ssse3")
VITRINE_CPUINFO_HAS(sse4_1, "sse4.1")
VITRINE_CPUINFO_HAS(avx, "avx")
VITRINE_CPUINFO_HAS(f16c, "f16c")
VITRINE_CPUINFO_HAS(fma3, "fma")
VITRINE_CPUINFO_HAS(avx2, "avx2")
VITRINE_CPUINFO_HAS(avx512f, "avx512f")
VITRINE_CPUINFO_HAS(avx512bw, "avx512bw")
VITRINE_CPUINFO_HAS(avx512dq, "avx512dq")
VITRINE_CPUINFO_HAS(avx512vl, "avx512vl")
VITRINE_CPUINFO_HAS(avx512vbmi, "avx512vbmi")
VITRINE_CPUINFO_HAS(avx512vnni, "avx512vnni")
VITRINE_CPUINFO_HAS(gfni, "gfni")
// Kernels for these are not built.
VITRINE_CPUINFO_LACKS(avx512fp16)
VITRINE_CPUINFO_LACKS(amx_int8)
VITRINE_CPUINFO_LACKS(avxvnni)
VITRINE_CPUINFO_LACKS(avx_vnni_int8)

// XNNPACK asks for the core's make only to tell AMD's first Zen, which prefers smaller tiles.
enum cpuinfo_uarch { cpuinfo_uarch_unknown, cpuinfo_uarch_zen, cpuinfo_uarch_dhyana };

struct cpuinfo_core {
  enum cpuinfo_uarch uarch;
};

static inline const struct cpuinfo_core* cpuinfo_get_core(uint32_t index) {
  static const struct cpuinfo_core kUnknown = {cpuinfo_uarch_unknown};
  static const struct cpuinfo_core kZen = {cpuinfo_uarch_zen};
  (void)index;
  return __builtin_cpu_is("znver1") ? &kZen : &kUnknown;
}

#endif  // VITRINE_CMAKE_CPUINFO_CPUINFO_H_
