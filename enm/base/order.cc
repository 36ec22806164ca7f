#include "enm/base/order.h"

#include <algorithm>
#include <numeric>

namespace enm {

std::vector<uint32_t> sorted_order(uint32_t count, FunctionRef<bool(uint32_t, uint32_t)> less) {
  std::vector<uint32_t> order(count);
  std::vector<uint32_t> merged(count);
  std::iota(order.begin(), order.end(), 0u);
  // Runs of `width` are in order and are merged by twos.
  for (size_t width = 1; width < count; width *= 2) {
    size_t out = 0;
    while (out < count) {
      size_t left = out;
      const size_t middle = std::min<size_t>(left + width, count);
      size_t right = middle;
      const size_t end = std::min<size_t>(middle + width, count);
      while (left < middle && right < end) {
        merged[out++] = less(order[right], order[left]) ? order[right++] : order[left++];
      }
      while (left < middle) merged[out++] = order[left++];
      while (right < end) merged[out++] = order[right++];
    }
    order.swap(merged);
  }
  return order;
}

}  // namespace enm
