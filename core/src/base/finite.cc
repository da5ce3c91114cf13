#include "base/finite.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace vitrine {

size_t FindNonFinite(std::span<const float> values) {
  constexpr uint32_t kExponent = 0x7F800000;
  constexpr size_t kBlock = 1024;  // inner loops without an exit, so that they become SIMD
  for (size_t i = 0; i < values.size(); i += kBlock) {
    auto block = values.subspan(i, std::min(kBlock, values.size() - i));
    uint32_t bad = 0;
    for (float value : block) bad |= (std::bit_cast<uint32_t>(value) & kExponent) == kExponent;
    if (!bad) continue;
    while ((std::bit_cast<uint32_t>(values[i]) & kExponent) != kExponent) ++i;
    return i;
  }
  return values.size();
}

}  // namespace vitrine
