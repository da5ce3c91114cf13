#include "order.h"

#include <algorithm>
#include <numeric>

namespace vitrine {

std::vector<int> SortedOrder(size_t count, const std::function<bool(int, int)>& before) {
  std::vector<int> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::make_heap(order.begin(), order.end(), std::cref(before));
  std::sort_heap(order.begin(), order.end(), std::cref(before));
  return order;
}

}  // namespace vitrine
