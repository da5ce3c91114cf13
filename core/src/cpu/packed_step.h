// The weights of a step as the kernels read them; what CpuWeights holds and the executor runs on.
#ifndef VITRINE_CPU_PACKED_STEP_H_
#define VITRINE_CPU_PACKED_STEP_H_

#include <memory>
#include <vector>

#include "cpu/gemm.h"
#include "cpu/kernels/kernels.h"
#include "cpu/linear.h"
#include "vitrine/cpu.h"

namespace vitrine {

/// Packed where the step is a product, else its parameters as they came, in the order of
/// Step::parameters.
struct PackedStep {
  std::vector<Tensor> raw;
  Linear linear;    // kPatchEmbed, kLinear
  int missing = 0;  // parameters not yet set

  const float* Raw(size_t i) const { return raw[i].floats().data(); }
};

struct CpuWeights::Impl {
  std::shared_ptr<const Plan> plan;
  const Kernels* kernels;
  Gemm gemm;
  std::vector<PackedStep> steps;  // one per step of the plan
  std::vector<bool> is_set;       // one per parameter
  int missing = 0;

  Result<void> Pack(int step_index);
};

}  // namespace vitrine

#endif  // VITRINE_CPU_PACKED_STEP_H_
