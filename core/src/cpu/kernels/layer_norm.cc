#include "cpu/kernels/isa.h"
#include "cpu/kernels/simd.h"

namespace vitrine::VITRINE_ISA {

void LayerNorm(const float* x, const float* gamma, const float* beta, float eps, size_t cols,
               float* y) {
  const size_t whole = cols - cols % kLanes;
  F32 sums = {};
  for (size_t i = 0; i < whole; i += kLanes) sums += Load(x + i);
  float sum = Sum(sums);
  for (size_t i = whole; i < cols; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(cols);

  // A second pass over the cached row: E[x^2] - mean^2 would cancel where the mean is large.
  F32 squares = {};
  for (size_t i = 0; i < whole; i += kLanes) {
    const F32 d = Load(x + i) - Splat(mean);
    squares = MulAdd(d, d, squares);
  }
  float square = Sum(squares);
  for (size_t i = whole; i < cols; ++i) square += (x[i] - mean) * (x[i] - mean);
  const float inv_std = 1.0f / __builtin_sqrtf(square / static_cast<float>(cols) + eps);

  for (size_t i = 0; i < whole; i += kLanes) {
    Store(y + i,
          MulAdd((Load(x + i) - Splat(mean)) * Splat(inv_std), Load(gamma + i), Load(beta + i)));
  }
  for (size_t i = whole; i < cols; ++i) y[i] = (x[i] - mean) * inv_std * gamma[i] + beta[i];
}

}  // namespace vitrine::VITRINE_ISA
