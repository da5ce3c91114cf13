// A slow and obvious executor: runs what PlanJson says and nothing else, in double precision.
#ifndef VITRINE_TESTS_REFERENCE_EXECUTOR_H_
#define VITRINE_TESTS_REFERENCE_EXECUTOR_H_

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "vitrine/executor.h"

namespace vitrine::test {

class ReferenceExecutor final : public ParameterSink {
 public:
  /// `plan_json` as PlanJson wrote it; the running test fails where a key is missing.
  explicit ReferenceExecutor(const std::string& plan_json);

  Result<void> SetParameter(int index, vitrine::Tensor values) override;

  /// Called with a step's name and its output rows.
  using Observer = std::function<void(const std::string& step, std::span<const float> output)>;
  void Run(std::span<const float> patches, Want want, const Observer& observer = {});

  /// "input", "tokens", "features" or "output": the role's buffer after a run.
  std::vector<float> Role(const std::string& role) const;

 private:
  struct Matrix {
    int rows = 0;
    int cols = 0;
    std::vector<double> values;  // [rows, cols]

    double* Row(int row) { return values.data() + static_cast<size_t>(row) * cols; }
  };
  struct Step {
    std::string kind, name, activation;
    int input, other, output, rows, head_rows, input_row, input_rows, output_row;
    int num_heads, head_dim;
    float eps, scale;
    std::vector<int> parameters, parameter_rows;
  };

  void RunStep(const Step& step, int rows);
  void Linear(const Step& step, int rows);
  void Attention(const Step& step, int rows);
  const std::vector<double>& Parameter(const Step& step, size_t i) const {
    return parameters_.at(step.parameters.at(i));
  }

  std::vector<Matrix> buffers_;
  std::vector<Step> steps_;
  std::vector<std::vector<double>> parameters_;
  int input_, tokens_, features_, output_;
};

}  // namespace vitrine::test

#endif  // VITRINE_TESTS_REFERENCE_EXECUTOR_H_
