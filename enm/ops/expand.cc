// Operators that make a tensor larger or cut it: Expand, Split, CumSum.
#include <cstring>

#include "enm/ops/broadcast.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

Status expand_shape(const Attributes&, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const SmallInts shape, read_small_ints(in[1], "shape"));
  TensorView target;
  target.set_dims(shape.all());
  for (int64_t dim : shape.all()) {
    if (dim < 0) return InvalidArgument("shape has ", dim);
  }
  return broadcast_dims(in[0], target, out[0]);
}

class Expand final : public PreparedOp {
 public:
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const BroadcastStrides strides(in[0], out[0]);
    return copy_strided(in[0].data, 0, strides.of, out[0]);
  }
};

// Lengths by an input, or by an attribute before opset 13, or equal parts, of which the last may be
// shorter from opset 18 on.
Status split_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(attributes.integer("axis"), in[0].rank));
  const int64_t whole = in[0].dim(axis);
  const auto parts = static_cast<int64_t>(out.size());
  if (attributes.has("num_outputs") && attributes.integer("num_outputs") != parts) {
    return InvalidArgument("num_outputs is ", attributes.integer("num_outputs"), " of ", parts);
  }
  const int64_t part = (whole + parts - 1) / parts;
  std::span<const int64_t> lengths = attributes.integers("split");
  if (const TensorView* given = operand(in, 1)) {
    if (given->data == nullptr) return InvalidArgument("split is not known before the graph runs");
    lengths = {given->as<int64_t>(), static_cast<size_t>(given->count())};
  }
  const bool divides = attributes.opset() < 18 ? whole % parts == 0 : part * (parts - 1) <= whole;
  if (lengths.empty() && !divides) {
    return InvalidArgument(parts, " equal parts of ", whole);
  }
  if (!lengths.empty() && lengths.size() != out.size()) {
    return InvalidArgument(lengths.size(), " lengths, ", parts, " outputs");
  }
  int64_t rest = whole;
  for (size_t i = 0; i < out.size(); ++i) {
    const int64_t length = lengths.empty() ? std::min(part, rest) : lengths[i];
    if (length < 0 || length > rest) {
      return InvalidArgument("part ", i, " has ", length, " of the ", rest, " that are left");
    }
    out[i].set_dims(in[0].shape());
    out[i].dims[static_cast<size_t>(axis)] = length;
    rest -= length;
  }
  if (rest == 0) return {};
  return InvalidArgument("parts add up to ", whole - rest, ", axis ", axis, " has ", whole);
}

class Split final : public PreparedOp {
 public:
  explicit Split(int64_t axis) : axis_(axis) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    if (in[0].count() == 0) return {};
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    const int64_t inner =
        dims_product(in[0], axis + 1, in[0].rank) * graph::dtype_bits(in[0].dtype) / 8;
    const int64_t outer = dims_product(in[0], 0, axis);
    const auto* from = in[0].as<uint8_t>();
    for (int64_t o = 0; o < outer; ++o) {
      for (const TensorView& view : out) {
        const int64_t bytes = view.dim(axis) * inner;
        if (bytes > 0) {
          std::memcpy(view.as<uint8_t>() + o * bytes, from, static_cast<size_t>(bytes));
        }
        from += bytes;
      }
    }
    return {};
  }

 private:
  const int64_t axis_;
};

// Inputs: x, axis. Sums of all elements up to this one; `exclusive` leaves it out, `reverse` counts
// from the end.
class CumSum final : public PreparedOp {
 public:
  CumSum(bool exclusive, bool reverse) : exclusive_(exclusive), reverse_(reverse) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const SmallInts given, read_small_ints(in[1], "axis"));
    if (given.count != 1 || in[1].rank > 1) return InvalidArgument("axis is ", view_str(in[1]));
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(given.values[0], in[0].rank));
    if (in[0].count() == 0) return {};
    const int64_t inner = dims_product(in[0], axis + 1, in[0].rank);
    with_number(in[0].dtype,
                [&](auto zero) { add_up<decltype(zero)>(in[0], in[0].dim(axis), inner, out[0]); });
    return {};
  }

 private:
  template <typename T>
  void add_up(const TensorView& x, int64_t length, int64_t inner, const TensorView& y) const {
    using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;  // integers wrap
    const int64_t lines = x.count() / length;
    const int64_t step = reverse_ ? -inner : inner;
    for (int64_t line = 0; line < lines; ++line) {
      int64_t at = line / inner * inner * length + line % inner;
      if (reverse_) at += (length - 1) * inner;
      T sum{};
      for (int64_t i = 0; i < length; ++i, at += step) {
        const T before = sum;
        sum = static_cast<T>(Sum(sum) + Sum(x.as<T>()[at]));
        y.as<T>()[at] = exclusive_ ? before : sum;
      }
    }
  }

  const bool exclusive_;
  const bool reverse_;
};

Result<std::unique_ptr<PreparedOp>> prepare_expand(const PrepareContext&) {
  return make_prepared<Expand>();
}
Result<std::unique_ptr<PreparedOp>> prepare_split(const PrepareContext& context) {
  return make_prepared<Split>(context.attributes.integer("axis"));
}
Result<std::unique_ptr<PreparedOp>> prepare_cumsum(const PrepareContext& context) {
  return make_prepared<CumSum>(context.attributes.flag("exclusive"),
                               context.attributes.flag("reverse"));
}

constexpr Operand kExpandInputs[] = {Operand("input", kFixedSize).as('T'),
                                     Operand("shape", kI64).of_rank(1).decides_shape()};
constexpr Operand kSplitInputs[] = {Operand("input", kFixedSize).as('T'),
                                    Operand("split", kI64).of_rank(1).optional().decides_shape()};
// Bytes would wrap: ONNX has none.
constexpr Types kSummed = kIndices | kF32 | Types(graph::DType::kFloat64);
constexpr Operand kCumSumInputs[] = {Operand("x", kSummed).as('T'), Operand("axis", kIndices)};
constexpr Operand kOutput[] = {Operand("output", kFixedSize).as('T')};
constexpr Operand kParts[] = {Operand("outputs", kFixedSize).as('T').variadic()};
constexpr Operand kSums[] = {Operand("y", kSummed).as('T')};
constexpr AttributeSpec kSplitAttributes[] = {
    AttributeSpec::integer("axis"), AttributeSpec::integer("num_outputs"),
    AttributeSpec::of_kind("split", AttributeSpec::Kind::kIntegers)};
constexpr AttributeSpec kCumSumAttributes[] = {AttributeSpec::integer("exclusive"),
                                               AttributeSpec::integer("reverse")};

}  // namespace

constexpr Op kExpand = {.name = "Expand",
                        .since = 8,
                        .inputs = kExpandInputs,
                        .outputs = kOutput,
                        .shape = expand_shape,
                        .traits = kHalfSafe,
                        .cpu = prepare_expand};
constexpr Op kSplit = {.name = "Split",
                       .since = 2,
                       .inputs = kSplitInputs,
                       .outputs = kParts,
                       .attributes = kSplitAttributes,
                       .shape = split_shape,
                       .traits = kHalfSafe,
                       .cpu = prepare_split};
constexpr Op kCumSum = {.name = "CumSum",
                        .since = 11,
                        .inputs = kCumSumInputs,
                        .outputs = kSums,
                        .attributes = kCumSumAttributes,
                        .shape = like_first,
                        .cpu = prepare_cumsum};

}  // namespace enm::ops
