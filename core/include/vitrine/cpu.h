// Running a plan on the CPU: packed weights, and activations that use them.
#ifndef VITRINE_CPU_H_
#define VITRINE_CPU_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/error.h"
#include "vitrine/executor.h"
#include "vitrine/plan.h"

namespace vitrine {

/// The most threads that an executor may be asked for.
inline constexpr int kMaxThreads = 64;

/// The instruction sets that this build and this machine have, the best one last: "baseline",
/// "avx2", "avx512"; "simd"; "relaxed".
std::vector<std::string_view> CpuIsas();

/// The parameters of one plan as the CPU's kernels read them: a layer is packed the moment its last
/// parameter is there, its raw values freed. Immutable once ready, and then shared by any number of
/// executors.
class CpuWeights final : public ParameterSink {
 public:
  /// `isa`: one of CpuIsas(), or "" for the best. Errors: kInvalidArgument, which names those there
  /// are; kUnsupported (the machine lacks what XNNPACK needs).
  [[nodiscard]] static Result<std::shared_ptr<CpuWeights>> Create(std::shared_ptr<const Plan> plan,
                                                                  std::string_view isa = "");
  ~CpuWeights() override;

  [[nodiscard]] Result<void> SetParameter(int index, Tensor values) override;
  bool ready() const { return missing() == 0; }
  int missing() const;  // parameters not yet set
  const Plan& plan() const;
  std::string_view isa() const;
  /// What is packed, once ready(); before that what it will be, but for padding.
  size_t bytes() const;

  struct Impl;
  const Impl& impl() const { return *impl_; }

 private:
  explicit CpuWeights(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Activations and threads over `weights`, which may still be arriving. Uses `num_threads` threads
/// (the caller's and num_threads - 1 of its own) inside Run; fewer where they cannot be started.
/// Errors: kInvalidArgument (num_threads outside 1..kMaxThreads), kOutOfMemory.
[[nodiscard]] Result<std::unique_ptr<Executor>> MakeCpuExecutor(
    std::shared_ptr<const CpuWeights> weights, int num_threads);

}  // namespace vitrine

#endif  // VITRINE_CPU_H_
