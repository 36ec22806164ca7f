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

BroadcastStrides::BroadcastStrides(const TensorView& operand, const TensorView& out) {
  int64_t stride = 1;
  for (int i = 1; i <= operand.rank; ++i) {
    const int64_t dim = operand.dim(operand.rank - i);
    of[static_cast<size_t>(out.rank - i)] = dim == 1 ? 0 : stride;
    stride *= dim;
  }
}

int64_t BroadcastStrides::offset(const TensorView& out, int64_t row) const {
  int64_t at = 0;
  for (int axis = out.rank - 2; axis >= 0; --axis) {
    at += row % out.dim(axis) * of[static_cast<size_t>(axis)];
    row /= out.dim(axis);
  }
  return at;
}

void run_binary(ThreadPool& pool, BinaryRow row, const TensorView& a, const TensorView& b,
                const TensorView& y) {
  const int64_t from_size = graph::dtype_bits(a.dtype) / 8;
  const int64_t to_size = graph::dtype_bits(y.dtype) / 8;
  const auto* a_data = a.as<uint8_t>();
  const auto* b_data = b.as<uint8_t>();
  auto* y_data = y.as<uint8_t>();
  if (y.rank == 0 || (a.same_dims(y) && b.same_dims(y))) {
    pool.parallel_for(y.count(), 16384, [&](int64_t begin, int64_t end, int) {
      row(a_data + begin * from_size, 1, b_data + begin * from_size, 1, y_data + begin * to_size,
          end - begin);
    });
    return;
  }
  const BroadcastStrides a_strides(a, y);
  const BroadcastStrides b_strides(b, y);
  const int64_t width = y.last_dim();
  pool.parallel_for(row_count(y), row_grain(width), [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      row(a_data + a_strides.offset(y, i) * from_size, a_strides.step(y),
          b_data + b_strides.offset(y, i) * from_size, b_strides.step(y),
          y_data + i * width * to_size, width);
    }
  });
}

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

Status like_first(const Attributes&, Inputs inputs, Outputs outputs) {
  outputs[0].set_dims(inputs[0].shape());
  return {};
}

Status broadcast_all(const Attributes&, Inputs inputs, Outputs outputs) {
  outputs[0].set_dims(inputs[0].shape());
  for (const TensorView& input : inputs.subspan(1)) {
    ENM_RETURN_IF_ERROR(broadcast_dims(outputs[0], input, outputs[0]));
  }
  return {};
}

Status broadcast_dims(const TensorView& a, const TensorView& b, TensorView& out) {
  std::array<int64_t, kMaxRank> dims{};
  const int rank = std::max(a.rank, b.rank);
  for (int i = 1; i <= rank; ++i) {
    const int64_t da = i <= a.rank ? a.dim(a.rank - i) : 1;
    const int64_t db = i <= b.rank ? b.dim(b.rank - i) : 1;
    if (da != db && da != 1 && db != 1) {
      return InvalidArgument(view_str(a), " and ", view_str(b), " do not broadcast");
    }
    dims[static_cast<size_t>(rank - i)] = da == 1 ? db : da;
  }
  out.set_dims({dims.data(), static_cast<size_t>(rank)});
  return {};
}

Status push_dim(TensorView& view, int64_t dim) {
  if (view.rank == kMaxRank) return Unsupported("more than ", kMaxRank, " dimensions");
  view.dims[static_cast<size_t>(view.rank++)] = dim;
  return {};
}

Result<int> normalize_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    return InvalidArgument("axis ", axis, " is outside of ", rank, " dimensions");
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<SmallInts> read_small_ints(const TensorView& view, std::string_view what) {
  if (view.data == nullptr && view.count() > 0) {
    return InvalidArgument(what, " is not known before the graph runs");
  }
  if (view.count() > kMaxRank) return InvalidArgument(what, " has ", view.count(), " elements");
  SmallInts out;
  out.count = static_cast<int>(view.count());
  for (int i = 0; i < out.count; ++i) out.values[static_cast<size_t>(i)] = index_at(view, i);
  return out;
}

Result<SmallInts> small_ints(std::span<const int64_t> values, std::string_view what) {
  if (values.size() > kMaxRank) return InvalidArgument(what, " has ", values.size(), " elements");
  SmallInts out;
  out.count = static_cast<int>(values.size());
  std::copy(values.begin(), values.end(), out.values.begin());
  return out;
}

}  // namespace enm::ops
