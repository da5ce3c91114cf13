// Whether numbers are numbers.
#ifndef VITRINE_BASE_FINITE_H_
#define VITRINE_BASE_FINITE_H_

#include <cstddef>
#include <span>

namespace vitrine {

/// Index of the first NaN or infinity, values.size() when there is none.
size_t FindNonFinite(std::span<const float> values);

inline bool AllFinite(std::span<const float> values) {
  return FindNonFinite(values) == values.size();
}

}  // namespace vitrine

#endif  // VITRINE_BASE_FINITE_H_
