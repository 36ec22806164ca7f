// Sorting as the core does it: one function for all types, because every std::sort is some
// kilobytes of the WebAssembly module.
#pragma once

#include <cstdint>
#include <vector>

#include "enm/base/function_ref.h"

namespace enm {

/// The numbers from 0 to count - 1 in the order of what they stand for; equal ones keep theirs.
/// O(n log n) whatever the order.
std::vector<uint32_t> sorted_order(uint32_t count, FunctionRef<bool(uint32_t, uint32_t)> less);

}  // namespace enm
