// Walking several operands in the order of a broadcast result.
#pragma once

#include "enm/base/status.h"
#include "enm/ops/tensor_view.h"

namespace enm::ops {

/// Steps through an operand along the axes of the output: 0 where it is broadcast.
struct BroadcastStrides {
  std::array<int64_t, kMaxRank> of{};

  BroadcastStrides(const TensorView& operand, const TensorView& out) {
    int64_t stride = 1;
    for (int i = 1; i <= operand.rank; ++i) {
      const int64_t dim = operand.dim(operand.rank - i);
      of[static_cast<size_t>(out.rank - i)] = dim == 1 ? 0 : stride;
      stride *= dim;
    }
  }
  /// Where row `row` of the output (its last axis is a row) begins in the operand.
  int64_t offset(const TensorView& out, int64_t row) const {
    int64_t at = 0;
    for (int axis = out.rank - 2; axis >= 0; --axis) {
      at += row % out.dim(axis) * of[static_cast<size_t>(axis)];
      row /= out.dim(axis);
    }
    return at;
  }
  /// Step along a row.
  int64_t step(const TensorView& out) const {
    return out.rank == 0 ? 0 : of[static_cast<size_t>(out.rank - 1)];
  }
};

/// Copies element sum(at[i] * strides[i]) of `from`, counted from `offset`, to element `at` of the
/// output, for elements of 8 to 64 bits.
Status copy_strided(const void* from, int64_t offset, std::span<const int64_t> strides,
                    const TensorView& out);

}  // namespace enm::ops
