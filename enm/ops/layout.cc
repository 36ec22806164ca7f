// Operators that move elements: Transpose, Slice, Concat.
#include <algorithm>
#include <cstring>
#include <limits>

#include "enm/ops/broadcast.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

std::array<int64_t, kMaxRank> strides_of(const TensorView& x) {
  std::array<int64_t, kMaxRank> strides{};
  int64_t stride = 1;
  for (int axis = x.rank - 1; axis >= 0; --axis) {
    strides[static_cast<size_t>(axis)] = stride;
    stride *= x.dim(axis);
  }
  return strides;
}

// Which input axis output axis `axis` is.
int64_t source_axis(std::span<const int64_t> perm, int axis, int rank) {
  return perm.empty() ? rank - 1 - axis : perm[static_cast<size_t>(axis)];
}

Status transpose_shape(const Attributes& attributes, Inputs in, Outputs out) {
  const auto perm = attributes.integers("perm");
  const int rank = in[0].rank;
  if (!perm.empty() && static_cast<int>(perm.size()) != rank) {
    return InvalidArgument("perm has ", perm.size(), " axes, the input ", rank);
  }
  uint32_t seen = 0;
  for (int axis = 0; axis < rank; ++axis) {
    const int64_t from = source_axis(perm, axis, rank);
    if (from < 0 || from >= rank || (seen >> from & 1) != 0) {
      return InvalidArgument("perm is no permutation");
    }
    seen |= 1u << from;
    ENM_RETURN_IF_ERROR(push_dim(out[0], in[0].dim(static_cast<int>(from))));
  }
  return {};
}

class Transpose final : public PreparedOp {
 public:
  explicit Transpose(std::span<const int64_t> perm) : perm_(perm.begin(), perm.end()) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const auto own = strides_of(in[0]);
    std::array<int64_t, kMaxRank> strides{};
    for (int axis = 0; axis < in[0].rank; ++axis) {
      strides[static_cast<size_t>(axis)] =
          own[static_cast<size_t>(source_axis(perm_, axis, in[0].rank))];
    }
    return copy_strided(in[0].data, 0, strides, out[0]);
  }

 private:
  const std::vector<int64_t> perm_;
};

// Inputs: data, starts, ends, axes?, steps?.
struct Box {
  std::array<int64_t, kMaxRank> starts{}, lengths{}, steps{};
};

Status cut(Box& box, int axis, int64_t dim, int64_t start, int64_t end, int64_t step) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min() / 2;
  if (step == 0 || step < -dim - 1) step = step == 0 ? 0 : -dim - 1;
  if (step == 0) return InvalidArgument("a step of 0");
  step = std::min(step, dim + 1);
  const int64_t high = step > 0 ? dim : dim - 1;
  const auto clamp = [&](int64_t value, int64_t low) {
    value = std::max(value, kLeast);
    return std::min(std::max(value < 0 ? value + dim : value, low), high);
  };
  // A slice that goes backwards begins at an element and ends before the first.
  const int64_t first = clamp(start, 0);
  const int64_t last = clamp(end, step > 0 ? 0 : -1);
  const int64_t span = step > 0 ? last - first : first - last;
  const int64_t stride = step > 0 ? step : -step;
  const auto a = static_cast<size_t>(axis);
  box.starts[a] = first;
  box.steps[a] = step;
  box.lengths[a] = span > 0 ? (span + stride - 1) / stride : 0;
  if (box.lengths[a] == 0) box.starts[a] = 0;
  return {};
}

Result<Box> box_of(Inputs in) {
  const TensorView& x = in[0];
  ENM_ASSIGN_OR_RETURN(const SmallInts starts, read_small_ints(in[1], "starts"));
  ENM_ASSIGN_OR_RETURN(const SmallInts ends, read_small_ints(in[2], "ends"));
  SmallInts axes{{0, 1, 2, 3, 4, 5, 6, 7}, starts.count};
  SmallInts steps{{1, 1, 1, 1, 1, 1, 1, 1}, starts.count};
  if (const TensorView* given = operand(in, 3)) {
    ENM_ASSIGN_OR_RETURN(axes, read_small_ints(*given, "axes"));
  }
  if (const TensorView* given = operand(in, 4)) {
    ENM_ASSIGN_OR_RETURN(steps, read_small_ints(*given, "steps"));
  }
  if (ends.count != starts.count || axes.count != starts.count || steps.count != starts.count) {
    return InvalidArgument(starts.count, " starts, ", ends.count, " ends, ", axes.count, " axes, ",
                           steps.count, " steps");
  }
  if (x.rank == 0) return InvalidArgument("a scalar has nothing to cut");
  uint32_t seen = 0;
  Box box;
  for (int axis = 0; axis < x.rank; ++axis) {
    box.lengths[static_cast<size_t>(axis)] = x.dim(axis);
    box.steps[static_cast<size_t>(axis)] = 1;
  }
  for (int i = 0; i < starts.count; ++i) {
    const auto at = static_cast<size_t>(i);
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axes.values[at], x.rank));
    if ((seen >> axis & 1) != 0) return InvalidArgument("axis ", axis, " is given twice");
    seen |= 1u << axis;
    ENM_RETURN_IF_ERROR(
        cut(box, axis, x.dim(axis), starts.values[at], ends.values[at], steps.values[at]));
  }
  return box;
}

Status slice_shape(const Attributes&, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const Box box, box_of(in));
  out[0].set_dims({box.lengths.data(), static_cast<size_t>(in[0].rank)});
  return {};
}

class Slice final : public PreparedOp {
 public:
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const Box box, box_of(in));
    auto strides = strides_of(in[0]);
    int64_t offset = 0;
    for (int axis = 0; axis < in[0].rank; ++axis) {
      const auto a = static_cast<size_t>(axis);
      offset += box.starts[a] * strides[a];
      strides[a] *= box.steps[a];
    }
    return copy_strided(in[0].data, offset, strides, out[0]);
  }
};

Status concat_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(attributes.integer("axis"), in[0].rank));
  out[0].set_dims(in[0].shape());
  int64_t& length = out[0].dims[static_cast<size_t>(axis)];
  for (const TensorView& view : in.subspan(1)) {
    TensorView other = view;
    if (other.rank == in[0].rank) other.dims[static_cast<size_t>(axis)] = in[0].dim(axis);
    if (!other.same_dims(in[0])) {
      return InvalidArgument(view_str(view), " does not join ", view_str(in[0]));
    }
    length += view.dim(axis);  // 16 of at most 2^48
  }
  return {};
}

class Concat final : public PreparedOp {
 public:
  explicit Concat(int64_t axis) : axis_(axis) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    if (out[0].count() == 0) return {};
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    const int64_t outer = dims_product(in[0], 0, axis);
    auto* to = out[0].as<uint8_t>();
    for (int64_t o = 0; o < outer; ++o) {
      for (const TensorView& view : in) {
        const auto part = view.bytes() / static_cast<uint64_t>(outer);
        if (part == 0) continue;
        std::memcpy(to, view.as<uint8_t>() + static_cast<uint64_t>(o) * part, part);
        to += part;
      }
    }
    return {};
  }

 private:
  const int64_t axis_;
};

Result<std::unique_ptr<PreparedOp>> prepare_transpose(const PrepareContext& context) {
  return make_prepared<Transpose>(context.attributes.integers("perm"));
}
Result<std::unique_ptr<PreparedOp>> prepare_slice(const PrepareContext&) {
  return make_prepared<Slice>();
}
Result<std::unique_ptr<PreparedOp>> prepare_concat(const PrepareContext& context) {
  return make_prepared<Concat>(context.attributes.integer("axis"));
}

constexpr Operand kData[] = {Operand("data", kFixedSize).as('T')};
constexpr Operand kParts[] = {Operand("inputs", kFixedSize).as('T').variadic()};
constexpr Operand kSliceInputs[] = {
    Operand("data", kFixedSize).as('T'),
    Operand("starts", kIndices).as('I').of_rank(1).decides_shape(),
    Operand("ends", kIndices).as('I').of_rank(1).decides_shape(),
    Operand("axes", kIndices).as('I').of_rank(1).optional().decides_shape(),
    Operand("steps", kIndices).as('I').of_rank(1).optional().decides_shape()};
constexpr Operand kOutput[] = {Operand("output", kFixedSize).as('T')};
constexpr AttributeSpec kPerm[] = {AttributeSpec::of_kind("perm", AttributeSpec::Kind::kIntegers)};
constexpr AttributeSpec kAxis[] = {AttributeSpec::integer("axis").required()};

}  // namespace

constexpr Op kTranspose = {.name = "Transpose",
                           .inputs = kData,
                           .outputs = kOutput,
                           .attributes = kPerm,
                           .shape = transpose_shape,
                           .traits = kHalfSafe,
                           .cpu = prepare_transpose};
constexpr Op kSlice = {.name = "Slice",
                       .since = 10,
                       .inputs = kSliceInputs,
                       .outputs = kOutput,
                       .shape = slice_shape,
                       .traits = kHalfSafe,
                       .cpu = prepare_slice};
constexpr Op kConcat = {.name = "Concat",
                        .since = 4,
                        .inputs = kParts,
                        .outputs = kOutput,
                        .attributes = kAxis,
                        .shape = concat_shape,
                        .traits = kHalfSafe,
                        .cpu = prepare_concat};

}  // namespace enm::ops
