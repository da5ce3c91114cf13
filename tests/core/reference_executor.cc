#include "reference_executor.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "base/json.h"

namespace vitrine::test {
namespace {

double Activate(const std::string& name, double x) {
  if (name == "gelu") return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
  if (name == "gelu_tanh") {
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
  if (name == "quick_gelu") return x / (1 + std::exp(-1.702 * x));
  if (name == "silu") return x / (1 + std::exp(-x));
  if (name == "relu") return std::max(x, 0.0);
  if (name == "tanh") return std::tanh(x);
  REQUIRE(name.empty());
  return x;
}

std::vector<int> Ints(const Json& array) {
  std::vector<int> values;
  for (const Json& item : array.Items()) values.push_back(item.Int(-1));
  return values;
}

}  // namespace

ReferenceExecutor::ReferenceExecutor(const std::string& plan_json) {
  JsonDocument document(plan_json, "plan", Status::kInternal, size_t{64} << 20);
  const Json plan = document.root();
  input_ = plan.Get("input").Int(-1);
  tokens_ = plan.Get("tokens").Int(-1);
  features_ = plan.Get("features").Int(-1);
  output_ = plan.Get("output").Int(-1);
  for (const Json& buffer : plan.Get("buffers").Items()) {
    Matrix matrix = {buffer.Get("rows").Int(0), buffer.Get("cols").Int(0), {}};
    matrix.values.resize(static_cast<size_t>(matrix.rows) * matrix.cols);
    buffers_.push_back(std::move(matrix));
  }
  parameters_.resize(plan.Get("parameters").Items().size());
  for (const Json& step : plan.Get("steps").Items()) {
    steps_.push_back({.kind = std::string(step.Get("kind").String("")),
                      .name = std::string(step.Get("name").String("")),
                      .activation = std::string(step.Get("activation").String("")),
                      .input = step.Get("input").Int(-1),
                      .other = step.Get("other").Int(-1),
                      .output = step.Get("output").Int(-1),
                      .rows = step.Get("rows").Int(0),
                      .head_rows = step.Get("head_rows").Int(0),
                      .input_row = step.Get("input_row").Int(-1),
                      .input_rows = step.Get("input_rows").Int(0),
                      .output_row = step.Get("output_row").Int(-1),
                      .num_heads = step.Get("num_heads").Int(0),
                      .head_dim = step.Get("head_dim").Int(0),
                      .eps = static_cast<float>(step.Get("eps").Number(0)),
                      .scale = static_cast<float>(step.Get("scale").Number(0)),
                      .parameters = Ints(step.Get("parameters")),
                      .parameter_rows = Ints(step.Get("parameter_rows"))});
  }
  const Result<void> read = document.result();
  INFO((read ? "" : read.error().message));
  REQUIRE(read.has_value());
}

Result<void> ReferenceExecutor::SetParameter(int index, vitrine::Tensor values) {
  const std::span<const float> floats = values.floats();
  parameters_.at(index).assign(floats.begin(), floats.end());
  return {};
}

void ReferenceExecutor::Run(std::span<const float> patches, Want want, const Observer& observer) {
  REQUIRE(patches.size() == buffers_.at(input_).values.size());
  std::copy(patches.begin(), patches.end(), buffers_[input_].values.begin());
  for (const Step& step : steps_) {
    const int rows = want == Want::kHead ? step.head_rows : step.rows;
    RunStep(step, rows);
    // What every executor hands on is float32.
    double* output = buffers_.at(step.output).Row(step.output_row);
    const size_t size = static_cast<size_t>(rows) * buffers_[step.output].cols;
    std::vector<float> values(output, output + size);
    std::copy(values.begin(), values.end(), output);
    if (observer) observer(step.name, values);
  }
}

void ReferenceExecutor::RunStep(const Step& step, int rows) {
  Matrix& in = buffers_.at(step.input);
  Matrix& out = buffers_.at(step.output);
  if (step.kind == "patch_embed" || step.kind == "linear") return Linear(step, rows);
  if (step.kind == "attention") return Attention(step, rows);
  if (step.kind == "embed") {
    for (size_t i = step.parameters.size(); i-- > 0;) {  // the first is added, when all are there
      const std::vector<double>& values = Parameter(step, i);
      double* row = out.Row(step.parameter_rows.at(i));
      for (size_t k = 0; k < values.size(); ++k) row[k] = values[k] + (i == 0 ? row[k] : 0);
    }
    return;
  }
  if (step.kind == "pool") {
    double* y = out.Row(step.output_row);
    for (int c = 0; c < out.cols; ++c) {
      double sum = 0;
      for (int r = 0; r < step.input_rows; ++r) sum += in.Row(step.input_row + r)[c];
      y[c] = sum / step.input_rows;
    }
    return;
  }
  for (int r = 0; r < rows; ++r) {
    const double* x = in.Row(step.input_row + r);
    double* y = out.Row(step.output_row + r);
    if (step.kind == "layer_norm") {
      double mean = 0, variance = 0;
      for (int c = 0; c < in.cols; ++c) mean += x[c] / in.cols;
      for (int c = 0; c < in.cols; ++c) variance += (x[c] - mean) * (x[c] - mean) / in.cols;
      const double inverse = 1 / std::sqrt(variance + step.eps);
      for (int c = 0; c < in.cols; ++c)
        y[c] = (x[c] - mean) * inverse * Parameter(step, 0)[c] + Parameter(step, 1)[c];
    } else {
      REQUIRE((step.kind == "add" || step.kind == "average"));
      const double* other = buffers_.at(step.other).Row(step.output_row + r);
      for (int c = 0; c < out.cols; ++c)
        y[c] = (x[c] + other[c]) / (step.kind == "average" ? 2 : 1);
    }
  }
}

void ReferenceExecutor::Linear(const Step& step, int rows) {
  Matrix& in = buffers_.at(step.input);
  Matrix& out = buffers_.at(step.output);
  const std::vector<double>& weight = Parameter(step, 0);  // [out.cols, in.cols]
  for (int r = 0; r < rows; ++r) {
    const double* x = in.Row(step.input_row + r);
    double* y = out.Row(step.output_row + r);
    for (int o = 0; o < out.cols; ++o) {
      double sum = step.parameters.size() > 1 ? Parameter(step, 1)[o] : 0;
      for (int c = 0; c < in.cols; ++c) sum += x[c] * weight[static_cast<size_t>(o) * in.cols + c];
      y[o] = Activate(step.activation, sum);
    }
  }
}

void ReferenceExecutor::Attention(const Step& step, int rows) {
  Matrix& in = buffers_.at(step.input);  // [num_tokens, 3 * num_heads * head_dim]
  Matrix& out = buffers_.at(step.output);
  const int width = step.num_heads * step.head_dim;
  for (int head = 0; head < step.num_heads; ++head) {
    for (int r = 0; r < rows; ++r) {
      const double* q = in.Row(r) + head * step.head_dim;
      std::vector<double> scores(in.rows);
      for (int t = 0; t < in.rows; ++t) {
        const double* k = in.Row(t) + width + head * step.head_dim;
        for (int d = 0; d < step.head_dim; ++d) scores[t] += q[d] * k[d] * step.scale;
      }
      const double largest = *std::max_element(scores.begin(), scores.end());
      double sum = 0;
      for (double& score : scores) sum += score = std::exp(score - largest);
      for (int d = 0; d < step.head_dim; ++d) {
        double value = 0;
        for (int t = 0; t < in.rows; ++t)
          value += scores[t] / sum * (in.Row(t) + 2 * width + head * step.head_dim)[d];
        out.Row(r)[head * step.head_dim + d] = value;
      }
    }
  }
}

std::vector<float> ReferenceExecutor::Role(const std::string& role) const {
  const int index = role == "input"      ? input_
                    : role == "tokens"   ? tokens_
                    : role == "features" ? features_
                                         : output_;
  const Matrix& matrix = buffers_.at(index);
  return {matrix.values.begin(), matrix.values.end()};
}

}  // namespace vitrine::test
