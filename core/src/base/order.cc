#include "base/order.h"

#include <algorithm>
#include <numeric>

namespace vitrine {

std::vector<int> SortedOrder(size_t count, const std::function<bool(int, int)>& before) {
  std::vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  // Not std::cref: clang 19 cannot compile it with the library of gcc 12.
  const auto by_reference = [&before](int a, int b) { return before(a, b); };
  std::make_heap(order.begin(), order.end(), by_reference);
  std::sort_heap(order.begin(), order.end(), by_reference);
  return order;
}

}  // namespace vitrine
