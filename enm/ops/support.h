// Small things that many operators share.
#pragma once

#include <limits>
#include <type_traits>

#include "enm/ops/prepared_op.h"

namespace enm::ops {

/// Rows of `width` elements that one thread takes at a time: about 16k elements, so that small
/// tensors stay on one thread.
inline int64_t row_grain(int64_t width) {
  constexpr int64_t kElements = 16384;
  return width >= kElements ? 1 : kElements / (width > 0 ? width : 1);
}

/// Rows along the last axis; a scalar is one of one element. 0 where rows are empty.
inline int64_t row_count(const TensorView& x) {
  return x.last_dim() == 0 ? 0 : x.count() / x.last_dim();
}

/// Product of the dims in [begin, end).
inline int64_t dims_product(const TensorView& x, int begin, int end) {
  int64_t product = 1;
  for (int axis = begin; axis < end; ++axis) product *= x.dim(axis);
  return product;
}

/// Calls body(T{}) with the C++ type of an element of kNumbers, or bool as uint8_t.
template <typename Body>
void with_number(graph::DType dtype, Body body) {
  switch (dtype) {
    case graph::DType::kFloat32:
      return body(float{});
    case graph::DType::kFloat64:
      return body(double{});
    case graph::DType::kInt64:
      return body(int64_t{});
    case graph::DType::kInt32:
      return body(int32_t{});
    case graph::DType::kInt8:
      return body(int8_t{});
    default:
      return body(uint8_t{});
  }
}

/// A float as an integer: towards zero, the nearest one where it is beyond all of them.
inline int64_t truncate(double value) {
  if (!(value > -0x1p63)) return std::numeric_limits<int64_t>::min();
  if (!(value < 0x1p63)) return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(value);
}

/// Shape rule of operators whose output is like their first input.
Status like_first(const Attributes& attributes, Inputs inputs, Outputs outputs);
/// Shape rule of elementwise operators of any number of inputs: numpy's broadcasting.
Status broadcast_all(const Attributes& attributes, Inputs inputs, Outputs outputs);

/// Numpy's broadcasting of two shapes into `out`, which may be one of them; kInvalidArgument where
/// they do not fit.
Status broadcast_dims(const TensorView& a, const TensorView& b, TensorView& out);

/// Appends a dimension; kUnsupported beyond kMaxRank.
Status push_dim(TensorView& view, int64_t dim);

/// Index of an axis counted from the end when negative; kInvalidArgument outside [-rank, rank).
Result<int> normalize_axis(int64_t axis, int rank);

/// Values of an i64 or i32 tensor of at most kMaxRank elements.
struct SmallInts {
  std::array<int64_t, kMaxRank> values{};
  int count = 0;

  std::span<const int64_t> all() const { return {values.data(), static_cast<size_t>(count)}; }
};
/// kInvalidArgument if it has more elements, or if its data is not known yet.
Result<SmallInts> read_small_ints(const TensorView& view, std::string_view what);
/// An attribute's list as the same.
Result<SmallInts> small_ints(std::span<const int64_t> values, std::string_view what);

/// Element `i` of a tensor of kIndices.
inline int64_t index_at(const TensorView& view, int64_t i) {
  return view.dtype == graph::DType::kInt64 ? view.as<int64_t>()[i] : view.as<int32_t>()[i];
}

}  // namespace enm::ops
