// One vector type for every instruction set, on the compilers' vector extensions; intrinsics only
// where those say too little. Everything has internal linkage: this header is compiled with
// different instruction sets, and a shared inline function would let the linker pick the wrong one.
#ifndef VITRINE_CPU_KERNELS_SIMD_H_
#define VITRINE_CPU_KERNELS_SIMD_H_

#include <cstddef>
#include <cstdint>

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

namespace vitrine {
namespace {

#if defined(__AVX512F__)
constexpr size_t kLanes = 16;
constexpr size_t kTileRows = 8;  // of the GEMM tile: 8 x 2 accumulators of 32 registers
#elif defined(__AVX2__)
constexpr size_t kLanes = 8;
constexpr size_t kTileRows = 6;
#elif defined(__wasm_relaxed_simd__)
constexpr size_t kLanes = 4;
constexpr size_t kTileRows = 6;  // 12 accumulators; V8 leaves 15 registers on x86
#else
constexpr size_t kLanes = 4;
constexpr size_t kTileRows = 4;  // without fused multiply-add a product takes a register, too
#endif

typedef float F32 __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t I32 __attribute__((vector_size(kLanes * sizeof(float))));

inline F32 Load(const float* p) {
  F32 v;
  __builtin_memcpy(&v, p, sizeof(v));
  return v;
}
inline void Store(float* p, F32 v) { __builtin_memcpy(p, &v, sizeof(v)); }
inline F32 Splat(float s) { return s - F32{}; }
/// *p in every lane; one instruction, where V8 would make two of Splat(*p).
inline F32 LoadSplat(const float* p) {
#if defined(__wasm_simd128__)
  return reinterpret_cast<F32>(wasm_v128_load32_splat(p));
#else
  return Splat(*p);
#endif
}

/// a * b + c. Contracted to one instruction where there is one.
inline F32 MulAdd(F32 a, F32 b, F32 c) {
#if defined(__wasm_relaxed_simd__)
  return reinterpret_cast<F32>(wasm_f32x4_relaxed_madd(
      reinterpret_cast<v128_t>(a), reinterpret_cast<v128_t>(b), reinterpret_cast<v128_t>(c)));
#else
  return a * b + c;
#endif
}

inline F32 Min(F32 a, F32 b) {
#if defined(__wasm_simd128__)
  return reinterpret_cast<F32>(
      wasm_f32x4_pmin(reinterpret_cast<v128_t>(a), reinterpret_cast<v128_t>(b)));
#else
  return a < b ? a : b;
#endif
}
inline F32 Max(F32 a, F32 b) {
#if defined(__wasm_simd128__)
  return reinterpret_cast<F32>(
      wasm_f32x4_pmax(reinterpret_cast<v128_t>(a), reinterpret_cast<v128_t>(b)));
#else
  return a > b ? a : b;
#endif
}

inline float Sum(F32 v) {
  float sum = 0;
  for (size_t i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}
inline float MaxLane(F32 v) {
  float max = v[0];
  for (size_t i = 1; i < kLanes; ++i) max = max < v[i] ? v[i] : max;
  return max;
}

/// The first `count` < kLanes floats of p; the other lanes are `fill`.
inline F32 LoadPart(const float* p, size_t count, float fill = 0) {
  F32 v = Splat(fill);
  for (size_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
}
inline void StorePart(float* p, size_t count, F32 v) {
  for (size_t i = 0; i < count; ++i) p[i] = v[i];
}

/// e^x to 2 ulp for x <= 88; below -87 it is e^-87, which is nothing beside the 1 of a softmax.
inline F32 Exp(F32 x) {
  x = Max(Min(x, Splat(88.0f)), Splat(-87.0f));
  // x = n ln2 + r with |r| <= ln2 / 2; adding 1.5 * 2^23 rounds to an integer held in the low bits.
  const F32 magic = Splat(12582912.0f);
  const F32 shifted = MulAdd(x, Splat(1.44269504f), magic);
  const F32 n = shifted - magic;
  F32 r = MulAdd(n, Splat(-0.693145752f), x);  // ln2 in two parts, so that n * high is exact
  r = MulAdd(n, Splat(-1.42860677e-6f), r);
  // Taylor's series; at |r| <= 0.3466 the first term left out is 1.3e-7 of the sum.
  F32 p = Splat(1.0f / 720);
  p = MulAdd(p, r, Splat(1.0f / 120));
  p = MulAdd(p, r, Splat(1.0f / 24));
  p = MulAdd(p, r, Splat(1.0f / 6));
  p = MulAdd(p, r, Splat(0.5f));
  p = MulAdd(p, r, Splat(1.0f));
  p = MulAdd(p, r, Splat(1.0f));
  // p * 2^n by adding n to the exponent.
  return reinterpret_cast<F32>(reinterpret_cast<I32>(p) + (reinterpret_cast<I32>(shifted) << 23));
}

/// acc[r] += a[r][0..depth) * b, the tile of a matrix product that attention is made of:
/// a is [kTileRows] rows given by pointer, b is packed [depth, 2 * kLanes].
inline void MultiplyTile(const float* const* a, const float* b, size_t depth,
                         F32 (&acc)[kTileRows][2]) {
  for (size_t k = 0; k < depth; ++k) {
    const F32 b0 = Load(b);
    const F32 b1 = Load(b + kLanes);
    b += 2 * kLanes;
#pragma GCC unroll 8
    for (size_t r = 0; r < kTileRows; ++r) {
      const F32 s = LoadSplat(a[r] + k);
      acc[r][0] = MulAdd(s, b0, acc[r][0]);
      acc[r][1] = MulAdd(s, b1, acc[r][1]);
    }
  }
}

}  // namespace
}  // namespace vitrine

#endif  // VITRINE_CPU_KERNELS_SIMD_H_
