// Operators that only rename or count elements: Shape, Reshape, Unsqueeze, Squeeze, Flatten,
// Identity; NonZero, whose size only running tells.
#include <cstring>

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

std::pair<int64_t, int64_t> dims_range(const Attributes& attributes, int rank) {
  const auto clamp = [rank](int64_t at) {
    return std::min<int64_t>(std::max<int64_t>(at < 0 ? at + rank : at, 0), rank);
  };
  const int64_t begin = clamp(attributes.integer("start"));
  return {begin, std::max(begin, clamp(attributes.integer("end")))};
}

Status shape_shape(const Attributes& attributes, Inputs in, Outputs out) {
  const auto [begin, end] = dims_range(attributes, in[0].rank);
  out[0].set_dims(std::array{end - begin});
  return {};
}

class Shape final : public PreparedOp {
 public:
  explicit Shape(const Attributes& attributes) : attributes_(attributes) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const auto [begin, end] = dims_range(attributes_, in[0].rank);
    for (int64_t axis = begin; axis < end; ++axis) {
      out[0].as<int64_t>()[axis - begin] = in[0].dim(static_cast<int>(axis));
    }
    return {};
  }

 private:
  const Attributes attributes_;
};

// The elements in the same order under other dimensions.
class Relabel final : public PreparedOp {
 public:
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const bool copies = in[0].data != out[0].data && in[0].bytes() > 0;
    if (copies) std::memcpy(out[0].data, in[0].data, in[0].bytes());
    return {};
  }
};

// 0 copies the input's dimension (unless allowzero), one -1 takes what is left.
Status reshape_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const SmallInts shape, read_small_ints(in[1], "shape"));
  const bool copy_zero = !attributes.flag("allowzero");
  std::array<int64_t, kMaxRank> dims{};
  int open = -1;
  for (int axis = 0; axis < shape.count; ++axis) {
    const auto at = static_cast<size_t>(axis);
    dims[at] = shape.values[at];
    if (dims[at] == 0 && copy_zero) {
      if (axis >= in[0].rank) return InvalidArgument("shape has 0 at ", axis, ", beyond the input");
      dims[at] = in[0].dim(axis);
    }
    if (dims[at] == -1 && open < 0) {
      open = axis;
      dims[at] = 1;
    }
    if (dims[at] < 0) return InvalidArgument("shape has ", dims[at], " at ", axis);
  }
  const std::span<const int64_t> known_dims(dims.data(), static_cast<size_t>(shape.count));
  ENM_ASSIGN_OR_RETURN(const int64_t known, graph::checked_element_count(known_dims));
  if (open >= 0 && known == 0) {
    return InvalidArgument("shape has -1 beside a dimension of 0: any number would fit");
  }
  if (open >= 0) dims[static_cast<size_t>(open)] = in[0].count() / known;
  out[0].set_dims(known_dims);
  const auto count = graph::checked_element_count(out[0].shape());
  if (count.ok() && *count == in[0].count()) return {};
  return InvalidArgument(view_str(in[0]), " does not fit ", view_str(out[0]));
}

// The axes of an input (newer opsets) or an attribute, as bits.
Result<uint32_t> axes_of(const Attributes& attributes, Inputs in, bool adds) {
  SmallInts axes;
  if (const TensorView* given = operand(in, 1)) {
    ENM_ASSIGN_OR_RETURN(axes, read_small_ints(*given, "axes"));
  } else {
    ENM_ASSIGN_OR_RETURN(axes, small_ints(attributes.integers("axes"), "axes"));
  }
  uint32_t bits = 0;
  for (int64_t one : axes.all()) {
    const int rank = in[0].rank + (adds ? axes.count : 0);  // Unsqueeze counts the new axes too
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(one, rank));
    if ((bits >> axis & 1) != 0) return InvalidArgument("axis ", axis, " is given twice");
    bits |= 1u << axis;
  }
  return bits;
}

Status unsqueeze_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const uint32_t added, axes_of(attributes, in, true));
  if (operand(in, 1) == nullptr && !attributes.has("axes")) return Corrupt("axes are missing");
  const int rank = in[0].rank + __builtin_popcount(added);
  for (int axis = 0, from = 0; axis < rank; ++axis) {
    const bool is_new = (added >> axis & 1) != 0;
    ENM_RETURN_IF_ERROR(push_dim(out[0], is_new ? 1 : in[0].dim(from)));
    from += is_new ? 0 : 1;
  }
  return {};
}

Status squeeze_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const uint32_t removed, axes_of(attributes, in, false));
  const bool all = removed == 0;  // no axes: every 1 goes
  for (int axis = 0; axis < in[0].rank; ++axis) {
    const bool drop = all ? in[0].dim(axis) == 1 : (removed >> axis & 1) != 0;
    if (drop && in[0].dim(axis) != 1) {
      return InvalidArgument("axis ", axis, " of ", view_str(in[0]), " is no 1");
    }
    if (!drop) ENM_RETURN_IF_ERROR(push_dim(out[0], in[0].dim(axis)));
  }
  return {};
}

Status flatten_shape(const Attributes& attributes, Inputs in, Outputs out) {
  int64_t axis = attributes.integer("axis");
  if (axis < 0) axis += in[0].rank;
  if (axis < 0 || axis > in[0].rank) return InvalidArgument("axis ", axis, " is out of range");
  const auto at = static_cast<int>(axis);
  out[0].set_dims(std::array{dims_product(in[0], 0, at), dims_product(in[0], at, in[0].rank)});
  return {};
}

// [rank of x, how many elements are not zero]: at most all of them.
Status nonzero_shape(const Attributes&, Inputs in, Outputs out) {
  out[0].set_dims(std::array{static_cast<int64_t>(in[0].rank), in[0].count()});
  return {};
}

class NonZero final : public PreparedOp {
 public:
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    with_number(in[0].dtype, [&](auto zero) { find<decltype(zero)>(in[0], out[0]); });
    return {};
  }

 private:
  template <typename T>
  static void find(const TensorView& x, TensorView& y) {
    int64_t found = 0;
    for (int64_t i = 0; i < x.count(); ++i) found += x.as<T>()[i] != T{} ? 1 : 0;
    y.dims[1] = found;
    int64_t column = 0;
    for (int64_t i = 0; i < x.count() && column < found; ++i) {
      if (x.as<T>()[i] == T{}) continue;
      int64_t rest = i;
      for (int axis = x.rank - 1; axis >= 0; --axis) {
        y.as<int64_t>()[axis * found + column] = rest % x.dim(axis);
        rest /= x.dim(axis);
      }
      ++column;
    }
  }
};

Result<std::unique_ptr<PreparedOp>> prepare_relabel(const PrepareContext&) {
  return make_prepared<Relabel>();
}
Result<std::unique_ptr<PreparedOp>> prepare_shape(const PrepareContext& context) {
  return make_prepared<Shape>(context.attributes);
}
Result<std::unique_ptr<PreparedOp>> prepare_nonzero(const PrepareContext&) {
  return make_prepared<NonZero>();
}

constexpr Types kAny = kFixedSize | Types{DType::kInt4, DType::kUint4};
constexpr Operand kData[] = {Operand("data", kAny).as('T')};
constexpr Operand kDataAxes[] = {Operand("data", kAny).as('T'),
                                 Operand("axes", kI64).of_rank(1).optional().decides_shape()};
constexpr Operand kDataShape[] = {Operand("data", kAny).as('T'),
                                  Operand("shape", kI64).of_rank(1).decides_shape()};
constexpr Operand kSame[] = {Operand("output", kAny).as('T')};
constexpr Operand kDims[] = {Operand("shape", kI64)};
constexpr Operand kComparable[] = {Operand("X", kNumbers | kBool)};
constexpr AttributeSpec kStartEnd[] = {AttributeSpec::integer("start"),
                                       AttributeSpec::integer("end", kMaxRank)};
constexpr AttributeSpec kAllowZero[] = {AttributeSpec::integer("allowzero")};
constexpr AttributeSpec kAxes[] = {AttributeSpec::of_kind("axes", AttributeSpec::Kind::kIntegers)};
constexpr AttributeSpec kFlattenAxis[] = {AttributeSpec::integer("axis", 1)};

constexpr Op relabel(std::string_view name, std::span<const Operand> inputs,
                     std::span<const AttributeSpec> attributes, ShapeRule shape) {
  return {.name = name,
          .inputs = inputs,
          .outputs = kSame,
          .attributes = attributes,
          .shape = shape,
          .traits = kHalfSafe,
          .alias = 1,
          .cpu = prepare_relabel};
}

}  // namespace

constexpr Op kReshape = relabel("Reshape", kDataShape, kAllowZero, reshape_shape);
constexpr Op kUnsqueeze = relabel("Unsqueeze", kDataAxes, kAxes, unsqueeze_shape);
constexpr Op kSqueeze = relabel("Squeeze", kDataAxes, kAxes, squeeze_shape);
constexpr Op kFlatten = relabel("Flatten", kData, kFlattenAxis, flatten_shape);
constexpr Op kIdentity = relabel("Identity", kData, {}, like_first);
constexpr Op kShape = {.name = "Shape",
                       .inputs = kData,
                       .outputs = kDims,
                       .attributes = kStartEnd,
                       .shape = shape_shape,
                       .traits = kShapeOnly,
                       .cpu = prepare_shape};
constexpr Op kNonZero = {.name = "NonZero",
                         .since = 9,
                         .inputs = kComparable,
                         .outputs = kDims,
                         .shape = nonzero_shape,
                         .traits = kDataSized,
                         .cpu = prepare_nonzero};

}  // namespace enm::ops
