// Sorting for the parts that run once per model: one small heap sort instead of a std::sort, some
// 6 KB of WebAssembly, for every type and comparison.
#ifndef VITRINE_BASE_ORDER_H_
#define VITRINE_BASE_ORDER_H_

#include <cstddef>
#include <functional>
#include <vector>

namespace vitrine {

/// The indices 0 ... count - 1 so ordered that none comes `before` the one ahead of it.
std::vector<int> SortedOrder(size_t count, const std::function<bool(int, int)>& before);

}  // namespace vitrine

#endif  // VITRINE_BASE_ORDER_H_
