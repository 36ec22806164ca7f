// Walking several operands in the order of a broadcast result.
#pragma once

#include <type_traits>

#include "enm/ops/support.h"

namespace enm::ops {

/// Steps through an operand along the axes of the output: 0 where it is broadcast.
struct BroadcastStrides {
  std::array<int64_t, kMaxRank> of{};

  BroadcastStrides(const TensorView& operand, const TensorView& out);
  /// Where row `row` of the output (its last axis is a row) begins in the operand.
  int64_t offset(const TensorView& out, int64_t row) const;
  /// Step along a row.
  int64_t step(const TensorView& out) const {
    return out.rank == 0 ? 0 : of[static_cast<size_t>(out.rank - 1)];
  }
};

/// y[i] = f(a[i * a_step], b[i * b_step]) for i < n, of elements that `f` knows; y may be a or b.
using BinaryRow = void (*)(const void* a, int64_t a_step, const void* b, int64_t b_step, void* y,
                           int64_t n);

/// Runs `row` along the last axis of `y`, over operands that broadcast to it.
void run_binary(ThreadPool& pool, BinaryRow row, const TensorView& a, const TensorView& b,
                const TensorView& y);

/// The row of a functor F on elements of type T. Loops over neighbours, which compilers turn into
/// vectors, are worth their size for floats alone.
template <typename F, typename T>
void binary_row(const void* a_row, int64_t a_step, const void* b_row, int64_t b_step, void* y_row,
                int64_t n) {
  constexpr F f{};
  const auto* a = static_cast<const T*>(a_row);
  const auto* b = static_cast<const T*>(b_row);
  auto* y = static_cast<decltype(f(*a, *b))*>(y_row);
  if constexpr (std::is_same_v<T, float>) {
    if (a_step == 1 && b_step == 1) {
      for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
      return;
    }
    if (a_step == 1 && b_step == 0) {
      for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], *b);
      return;
    }
  }
  for (int64_t i = 0; i < n; ++i) y[i] = f(a[i * a_step], b[i * b_step]);
}

/// The same for a type of kNumbers, or bool.
template <typename F>
BinaryRow binary_row_of(graph::DType dtype) {
  BinaryRow row = nullptr;
  with_number(dtype, [&](auto zero) { row = binary_row<F, decltype(zero)>; });
  return row;
}

/// Copies element sum(at[i] * strides[i]) of `from`, counted from `offset`, to element `at` of the
/// output, for elements of 8 to 64 bits.
Status copy_strided(const void* from, int64_t offset, std::span<const int64_t> strides,
                    const TensorView& out);

}  // namespace enm::ops
