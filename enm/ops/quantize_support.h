// Quantizing activations on the fly, as DynamicQuantizeLinear and the products that contain it do.
#pragma once

#include "enm/base/threads.h"
#include "enm/kernels/quantize_linear/quantize_linear.h"

namespace enm::ops {

inline constexpr int64_t kRangePart = 16384;  // elements that one thread takes at a time

/// Floats of scratch memory that dynamic_range() wants.
inline int64_t dynamic_range_floats(int64_t count) {
  return (count + kRangePart - 1) / kRangePart * 2;
}

/// The grid for `count` values.
kernels::QuantizeParameters dynamic_range(const kernels::QuantizeLinearKernels& kernels,
                                          ThreadPool& pool, const float* x, int64_t count,
                                          float* scratch);

void quantize_all(const kernels::QuantizeLinearKernels& kernels, ThreadPool& pool, const float* x,
                  int64_t count, const kernels::QuantizeParameters& grid, uint8_t* y);

}  // namespace enm::ops
