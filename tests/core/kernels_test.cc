// Every kernel of every instruction set at hand against the same formula in double precision.
#include "cpu/kernels/kernels.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cmath>
#include <random>
#include <vector>

namespace vitrine {
namespace {

std::vector<float> Random(size_t n, float mean, float deviation, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(n);
  for (float& value : values) value = normal(generator);
  return values;
}

double Reference(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kTanh:
      return std::tanh(x);
  }
  return NAN;
}

const Kernels& AnyKernels() {
  const size_t index = GENERATE(range(size_t{0}, SupportedKernels().size()));
  return SupportedKernels()[index];
}

TEST_CASE("activations equal their formulas, extremes and ragged ends included", "[kernels]") {
  const Kernels& kernels = AnyKernels();
  const Activation activation =
      GENERATE(Activation::kNone, Activation::kGelu, Activation::kGeluTanh, Activation::kQuickGelu,
               Activation::kRelu, Activation::kSilu, Activation::kTanh);
  CAPTURE(kernels.isa, static_cast<int>(activation));

  std::vector<float> x = {0.0f,   -0.0f,  1e-30f,  -1e-30f, 1e-3f,
                          -1e-3f, 100.0f, -100.0f, 1e6f,    -1e6f};
  for (float value = -12; value < 12; value += 0.01f) x.push_back(value);
  std::vector<float> y = x;
  kernels.activate(activation, y.size(), y.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = Reference(activation, x[i]);
    CAPTURE(x[i], y[i], expected);
    REQUIRE(std::abs(y[i] - expected) <= 1e-6 * std::max(1.0, std::abs(static_cast<double>(x[i]))));
  }

  // Any length: what lies behind the end stays.
  for (size_t n = 0; n < 40; ++n) {
    std::vector<float> part(x.begin() + 10, x.begin() + 10 + n);
    part.push_back(7.0f);
    kernels.activate(activation, n, part.data());
    REQUIRE(part[n] == 7.0f);
  }
}

TEST_CASE("layer_norm equals its formula for any width, even far from zero", "[kernels]") {
  const Kernels& kernels = AnyKernels();
  const size_t cols = GENERATE(1, 3, 4, 15, 16, 17, 48, 63, 192, 768);
  const float mean = GENERATE(0.0f, 1000.0f);
  CAPTURE(kernels.isa, cols, mean);
  const std::vector<float> x = Random(cols, mean, 2.0f, 1);
  const std::vector<float> gamma = Random(cols, 1.0f, 0.5f, 2);
  const std::vector<float> beta = Random(cols, 0.0f, 0.5f, 3);
  std::vector<float> y(cols);
  kernels.layer_norm(x.data(), gamma.data(), beta.data(), 1e-6f, cols, y.data());

  double sum = 0, squares = 0;
  for (float value : x) sum += value;
  for (float value : x) squares += std::pow(value - sum / cols, 2);
  for (size_t i = 0; i < cols; ++i) {
    const double expected =
        (x[i] - sum / cols) / std::sqrt(squares / cols + 1e-6) * gamma[i] + beta[i];
    // The mean itself is known to float32's precision only.
    REQUIRE(std::abs(y[i] - expected) <= 2e-6 * (1 + std::abs(mean)) * (cols == 1 ? 1000 : 1));
  }
}

TEST_CASE("add adds", "[kernels]") {
  const Kernels& kernels = AnyKernels();
  for (size_t n = 0; n < 70; ++n) {
    const std::vector<float> x = Random(n, 0, 1, 4);
    std::vector<float> y = Random(n + 1, 0, 1, 5);
    const std::vector<float> before = y;
    kernels.add(x.data(), n, y.data());
    for (size_t i = 0; i < n; ++i) REQUIRE(y[i] == before[i] + x[i]);
    REQUIRE(y[n] == before[n]);
  }
}

TEST_CASE("attention equals softmax(q k^T scale) v for ragged tokens and head sizes", "[kernels]") {
  const Kernels& kernels = AnyKernels();
  const size_t num_tokens = GENERATE(1, 2, 5, 16, 33, 197);
  const size_t head_dim = GENERATE(1, 6, 12, 32, 64, 80);
  const float spread =
      GENERATE(1.0f, 30.0f);  // 30: scores in the hundreds, which need the maximum taken off
  CAPTURE(kernels.isa, num_tokens, head_dim, spread);
  const AttentionShape shape = {.num_tokens = num_tokens,
                                .head_dim = head_dim,
                                .qkv_stride = 3 * head_dim + 5,
                                .output_stride = head_dim + 3,
                                .scale = 0.3f};
  const std::vector<float> qkv = Random(num_tokens * shape.qkv_stride, 0, spread, 6);
  const float* q = qkv.data();
  const float* k = q + head_dim;
  const float* v = k + head_dim;
  std::vector<float> packed(kernels.attention_packed_size(shape));
  std::vector<float> scratch(kernels.attention_scratch_size(shape));
  std::vector<float> output(num_tokens * shape.output_stride, 9.0f);
  kernels.attention_pack(shape, k, v, packed.data());
  for (size_t first = 0; first < num_tokens; first += kernels.attention_rows) {
    kernels.attention(shape, std::min(kernels.attention_rows, num_tokens - first),
                      q + first * shape.qkv_stride, packed.data(), scratch.data(),
                      output.data() + first * shape.output_stride);
  }

  double worst = 0;
  for (size_t row = 0; row < num_tokens; ++row) {
    std::vector<double> scores(num_tokens);
    for (size_t key = 0; key < num_tokens; ++key) {
      for (size_t d = 0; d < head_dim; ++d) {
        scores[key] += static_cast<double>(q[row * shape.qkv_stride + d]) *
                       k[key * shape.qkv_stride + d] * shape.scale;
      }
    }
    const double max = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - max);
    for (size_t d = 0; d < head_dim; ++d) {
      double expected = 0;
      for (size_t key = 0; key < num_tokens; ++key)
        expected += scores[key] / sum * v[key * shape.qkv_stride + d];
      worst = std::max(worst, std::abs(output[row * shape.output_stride + d] - expected));
    }
    for (size_t d = head_dim; d < shape.output_stride; ++d)
      REQUIRE(output[row * shape.output_stride + d] == 9.0f);
  }
  // Scores of size spread^2 carry float32's relative error into the exponent.
  REQUIRE(worst <= 1e-6 * spread * spread * spread * std::sqrt(static_cast<double>(head_dim)));
}

}  // namespace
}  // namespace vitrine
