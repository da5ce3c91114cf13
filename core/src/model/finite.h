// Whether numbers are numbers.
#ifndef VITRINE_MODEL_FINITE_H_
#define VITRINE_MODEL_FINITE_H_

#include <algorithm>
#include <cmath>
#include <span>

namespace vitrine {

inline bool AllFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace vitrine

#endif  // VITRINE_MODEL_FINITE_H_
