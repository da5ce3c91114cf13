// What runs a plan. The CPU's is in cpu.h; others (WebGPU, in TypeScript) run the same plan as
// JSON.
#ifndef VITRINE_EXECUTOR_H_
#define VITRINE_EXECUTOR_H_

#include <cstddef>
#include <functional>
#include <span>

#include "vitrine/error.h"
#include "vitrine/plan.h"
#include "vitrine/tensor.h"

namespace vitrine {

/// Where complete parameters go.
class ParameterSink {
 public:
  virtual ~ParameterSink() = default;
  /// Takes the values of plan.parameters[index], which are finite, each index once.
  [[nodiscard]] virtual Result<void> SetParameter(int index, Tensor values) = 0;
};

/// Called after each step of a run with its output rows [rows, cols] and its duration. The rows are
/// overwritten by later steps: whoever wants a step's result (tokens, attention) takes it here.
using StepObserver =
    std::function<void(const Step& step, std::span<const float> output, double ms)>;

/// Runs one plan. Not thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;

  virtual const Plan& plan() const = 0;
  /// True once every parameter is there.
  virtual bool ready() const = 0;
  /// kInvalidArgument before that.
  [[nodiscard]] virtual Result<void> Run(Want want, const StepObserver* observer = nullptr) = 0;

  /// The values of a buffer of the plan [rows, cols]: after Run, those of `tokens` (with
  /// Want::kTokens), `features` and `output` are what their roles say.
  virtual std::span<float> Contents(int buffer) = 0;
  /// What Run reads; overwritten by nobody but the caller.
  std::span<float> input() { return Contents(plan().input); }
  std::span<const float> output() { return Contents(plan().output); }
  std::span<const float> features() { return Contents(plan().features); }
  std::span<const float> tokens() { return Contents(plan().tokens); }

  /// The instruction set at work, and what it costs.
  virtual std::string_view isa() const = 0;
  virtual int num_threads() const = 0;
  virtual size_t weight_bytes() const = 0;
  virtual size_t activation_bytes() const = 0;
};

}  // namespace vitrine

#endif  // VITRINE_EXECUTOR_H_
