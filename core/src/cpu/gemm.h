// Which of XNNPACK's float32 matrix-product microkernels an instruction set uses.
#ifndef VITRINE_CPU_GEMM_H_
#define VITRINE_CPU_GEMM_H_

#include <xnnpack.h>

#include <cstddef>
#include <optional>
#include <string_view>

#include "xnnpack/microfnptr.h"

namespace vitrine {

/// Microkernels and the packing they read: a tile is `mr` rows by `nr` columns.
struct Gemm {
  size_t mr;
  size_t nr;
  size_t kr;
  size_t sr;
  xnn_gemm_ukernel_fn tile;
  xnn_gemm_ukernel_fn row;  // one row
  xnn_packw_gemm_goi_ukernel_fn pack;
};

/// Of one of CpuIsas(); none where XNNPACK has no kernels for this machine.
std::optional<Gemm> FindGemm(std::string_view isa);

}  // namespace vitrine

#endif  // VITRINE_CPU_GEMM_H_
