// What the targets of the weight stream share: a network whose checkpoint fits in a fuzzer's input.
#ifndef VITRINE_TESTS_FUZZ_SUPPORT_H_
#define VITRINE_TESTS_FUZZ_SUPPORT_H_

#include <cmath>
#include <cstdlib>
#include <vector>

#include "vitrine/plan.h"
#include "vitrine/weights.h"

namespace vitrine::fuzz {

/// Stops the fuzzer where a promise of the core is broken.
inline void Require(bool kept) {
  if (!kept) std::abort();
}

/// corpus/make_seeds.py writes checkpoints for it.
inline const Plan& SmallPlan() {
  static const Plan plan = [] {
    VitConfig config;
    config.img_size = config.patch_size = {2, 2};
    config.in_chans = config.depth = config.num_heads = 1;
    config.num_classes = config.embed_dim = config.mlp_hidden_dim = 2;
    return *BuildPlan(config);
  }();
  return plan;
}

/// Takes parameters as an executor would, and checks what WeightStream promises of them.
class CheckingSink final : public ParameterSink {
 public:
  Result<void> SetParameter(int index, vitrine::Tensor values) override {
    Require(index >= 0 && index < kCount && !seen_[index]);
    Require(static_cast<int64_t>(values.floats().size()) ==
            SmallPlan().parameters[index].num_elements());
    for (const float value : values.floats()) Require(std::isfinite(value));
    seen_[index] = true;
    ++num_seen_;
    return {};
  }
  bool complete() const { return num_seen_ == kCount; }

 private:
  const int kCount = static_cast<int>(SmallPlan().parameters.size());
  std::vector<bool> seen_ = std::vector<bool>(kCount);
  int num_seen_ = 0;
};

}  // namespace vitrine::fuzz

#endif  // VITRINE_TESTS_FUZZ_SUPPORT_H_
