#include "enm/ops/support.h"

#include "enm/ops/broadcast.h"

#include <algorithm>

namespace enm::ops {
namespace {

// Copies a box: element `at` of the output comes from sum(at[i] * strides[i]) of the input.
template <typename T>
void copy_box(const T* from, std::span<const int64_t> strides, const TensorView& out) {
  std::array<int64_t, kMaxRank> at{};
  int64_t position = 0;
  T* to = out.as<T>();
  for (int64_t i = 0; i < out.count(); ++i) {
    to[i] = from[position];
    for (int axis = out.rank - 1; axis >= 0; --axis) {
      const auto a = static_cast<size_t>(axis);
      position += strides[a];
      if (++at[a] < out.dim(axis)) break;
      position -= strides[a] * out.dim(axis);
      at[a] = 0;
    }
  }
}

}  // namespace

Status copy_strided(const void* from, int64_t offset, std::span<const int64_t> strides,
                    const TensorView& out) {
  switch (graph::dtype_bits(out.dtype)) {
    case 8:
      copy_box(static_cast<const uint8_t*>(from) + offset, strides, out);
      return {};
    case 16:
      copy_box(static_cast<const uint16_t*>(from) + offset, strides, out);
      return {};
    case 32:
      copy_box(static_cast<const uint32_t*>(from) + offset, strides, out);
      return {};
    case 64:
      copy_box(static_cast<const uint64_t*>(from) + offset, strides, out);
      return {};
    default:
      return Unsupported("elements of type ", graph::dtype_name(out.dtype));
  }
}

Status broadcast_dims(const TensorView& a, const TensorView& b, TensorView& out) {
  out.rank = std::max(a.rank, b.rank);
  for (int i = 1; i <= out.rank; ++i) {
    const int64_t da = i <= a.rank ? a.dim(a.rank - i) : 1;
    const int64_t db = i <= b.rank ? b.dim(b.rank - i) : 1;
    if (da != db && da != 1 && db != 1) {
      return InvalidArgument(view_str(a), " and ", view_str(b), " do not broadcast");
    }
    out.dims[static_cast<size_t>(out.rank - i)] = da == 1 ? db : da;
  }
  return {};
}

}  // namespace enm::ops
