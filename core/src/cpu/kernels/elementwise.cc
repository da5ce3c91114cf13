#include "cpu/kernels/isa.h"
#include "cpu/kernels/simd.h"

namespace vitrine::VITRINE_ISA {
namespace {

/// erf(x) to 4e-7. Beyond |x| = 4 it is 1 in float32; below, x P(x^2) / Q(x^2) with P and Q of
/// degree 5, fitted to the smallest relative error on [0, 4] (2.5e-8 before rounding) by reweighted
/// least squares.
F32 Erf(F32 x) {
  x = Max(Min(x, Splat(4.0f)), Splat(-4.0f));
  const F32 t = x * x;
  F32 p = Splat(1.986780667e-06f);
  p = MulAdd(p, t, Splat(2.845672724e-04f));
  p = MulAdd(p, t, Splat(3.883385459e-03f));
  p = MulAdd(p, t, Splat(5.310187198e-02f));
  p = MulAdd(p, t, Splat(1.935459705e-01f));
  p = MulAdd(p, t, Splat(1.128379139e+00f));
  F32 q = Splat(3.742023019e-05f);
  q = MulAdd(q, t, Splat(1.185582085e-03f));
  q = MulAdd(q, t, Splat(1.520733260e-02f));
  q = MulAdd(q, t, Splat(1.153503814e-01f));
  q = MulAdd(q, t, Splat(5.048582057e-01f));
  q = MulAdd(q, t, Splat(1.0f));
  return x * p / q;
}

F32 Sigmoid(F32 x) { return Splat(1.0f) / (Splat(1.0f) + Exp(-x)); }

struct Gelu {
  F32 operator()(F32 x) const {
    const F32 half = Splat(0.5f) * x;
    return MulAdd(half, Erf(x * Splat(0.70710678f)), half);
  }
};
// 0.5 x (1 + tanh(u)) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). Hendrycks & Gimpel
// 2016.
struct GeluTanh {
  F32 operator()(F32 x) const {
    const F32 u = x * MulAdd(x * x, Splat(0.0356774081f), Splat(0.797884561f));
    return x * Sigmoid(u + u);
  }
};
struct QuickGelu {
  F32 operator()(F32 x) const { return x * Sigmoid(Splat(1.702f) * x); }
};
struct Silu {
  F32 operator()(F32 x) const { return x * Sigmoid(x); }
};
struct Relu {
  F32 operator()(F32 x) const { return Max(x, F32{}); }
};
// tanh(x) = 2 sigmoid(2 x) - 1; near 0, where that cancels, the odd series x - x^3 / 3 + 2 x^5
// / 15.
struct Tanh {
  F32 operator()(F32 x) const {
    const F32 t = x * x;
    const F32 series =
        x * MulAdd(t, MulAdd(t, MulAdd(t, Splat(-17.0f / 315), Splat(2.0f / 15)), Splat(-1.0f / 3)),
                   Splat(1.0f));
    const F32 whole = Splat(2.0f) * Sigmoid(x + x) - Splat(1.0f);
    return t < Splat(0.04f) ? series : whole;
  }
};

template <typename Function>
void Map(Function f, size_t n, float* x) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(x + i, f(Load(x + i)));
  if (i < n) StorePart(x + i, n - i, f(LoadPart(x + i, n - i)));
}

}  // namespace

void Activate(Activation activation, size_t n, float* x) {
  switch (activation) {
    case Activation::kNone:
      return;
    case Activation::kGelu:
      return Map(Gelu(), n, x);
    case Activation::kGeluTanh:
      return Map(GeluTanh(), n, x);
    case Activation::kQuickGelu:
      return Map(QuickGelu(), n, x);
    case Activation::kRelu:
      return Map(Relu(), n, x);
    case Activation::kSilu:
      return Map(Silu(), n, x);
    case Activation::kTanh:
      return Map(Tanh(), n, x);
  }
}

void Add(const float* x, size_t n, float* y) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Store(y + i, Load(y + i) + Load(x + i));
  for (; i < n; ++i) y[i] += x[i];
}

}  // namespace vitrine::VITRINE_ISA
