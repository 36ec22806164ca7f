// ReduceSum, ReduceMean, ReduceMax; axes as an input or, before opset 13 (18 for mean and max), as
// an attribute. LpNormalization, which divides by such a sum.
#include <algorithm>
#include <cmath>
#include <limits>

#include "enm/ops/broadcast.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

enum class Kind { kSum, kMean, kMax };

// Which axes fold: bit i for axis i.
struct AxisSet {
  uint32_t bits = 0;
  bool has(int axis) const { return (bits >> axis & 1) != 0; }
};

// What the attributes say of it.
struct Folding {
  SmallInts axes;
  bool keeps_dims;
  bool none_means_none;  // of axes: else it means all
};

Result<Folding> folding_of(const Attributes& attributes) {
  ENM_ASSIGN_OR_RETURN(const SmallInts axes, small_ints(attributes.integers("axes"), "axes"));
  return Folding{axes, attributes.flag("keepdims"), attributes.flag("noop_with_empty_axes")};
}

Result<AxisSet> folded_axes(const Folding& folding, Inputs in) {
  SmallInts axes = folding.axes;
  if (const TensorView* given = operand(in, 1)) {
    ENM_ASSIGN_OR_RETURN(axes, read_small_ints(*given, "axes"));
  }
  AxisSet folded;
  if (axes.count == 0 && !folding.none_means_none) folded.bits = (1u << in[0].rank) - 1;
  for (int64_t one : axes.all()) {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(one, in[0].rank));
    folded.bits |= 1u << axis;
  }
  return folded;
}

Status reduce_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const Folding folding, folding_of(attributes));
  ENM_ASSIGN_OR_RETURN(const AxisSet folded, folded_axes(folding, in));
  for (int axis = 0; axis < in[0].rank; ++axis) {
    if (folded.has(axis) && !folding.keeps_dims) continue;
    ENM_RETURN_IF_ERROR(push_dim(out[0], folded.has(axis) ? 1 : in[0].dim(axis)));
  }
  return {};
}

// Steps of the output along each axis of the input, 0 along folded ones.
BroadcastStrides steps_of(const TensorView& x, AxisSet folded) {
  TensorView kept = x;
  for (int axis = 0; axis < x.rank; ++axis) {
    if (folded.has(axis)) kept.dims[static_cast<size_t>(axis)] = 1;
  }
  return {kept, x};
}

// Integers wrap: signed ones are added as the unsigned ones of 64 bits.
template <typename T>
T sum(T a, T b) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;
  return static_cast<T>(static_cast<Sum>(a) + static_cast<Sum>(b));
}

class Reduce final : public PreparedOp {
 public:
  Reduce(Kind kind, const Folding& folding) : kind_(kind), folding_(folding) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const AxisSet folded, folded_axes(folding_, in));
    with_number(in[0].dtype, [&](auto zero) { reduce<decltype(zero)>(in[0], folded, out[0]); });
    return {};
  }

 private:
  template <typename T>
  void reduce(const TensorView& x, AxisSet folded, const TensorView& y) const {
    T* out = y.as<T>();
    const int64_t results = y.count();
    const T least = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                         : std::numeric_limits<T>::lowest();
    std::fill(out, out + results, kind_ == Kind::kMax ? least : T{0});
    const BroadcastStrides steps = steps_of(x, folded);
    const int64_t step = steps.step(x);
    const int64_t width = x.last_dim();
    for (int64_t row = 0; row < row_count(x); ++row) {
      T* into = out + steps.offset(x, row);
      const T* from = x.as<T>() + row * width;
      for (int64_t i = 0; i < width; ++i, into += step) {
        if (kind_ == Kind::kMax) {
          if (from[i] > *into || from[i] != from[i]) *into = from[i];
        } else {
          *into = sum(*into, from[i]);
        }
      }
    }
    if (kind_ != Kind::kMean || results == 0) return;
    // Of nothing it is 0: the standard leaves it open, ONNX Runtime has it so.
    const auto count = static_cast<T>(std::max<int64_t>(x.count() / results, 1));
    for (int64_t i = 0; i < results; ++i) out[i] = static_cast<T>(out[i] / count);
  }

  const Kind kind_;
  const Folding folding_;
};

template <Kind kKind>
Result<std::unique_ptr<PreparedOp>> prepare_reduce(const PrepareContext& context) {
  ENM_ASSIGN_OR_RETURN(const Folding folding, folding_of(context.attributes));
  return make_prepared<Reduce>(kKind, folding);
}

// x / (sum |x|^p)^(1/p) along an axis, p = 1 or 2; lines of zeros stay zeros.
class LpNormalization final : public PreparedOp {
 public:
  LpNormalization(int64_t p, int64_t axis) : p_(p), axis_(axis) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    const int64_t length = in[0].dim(axis);
    const int64_t inner = dims_product(in[0], axis + 1, in[0].rank);
    const int64_t lines = length == 0 ? 0 : in[0].count() / length;
    for (int64_t line = 0; line < lines; ++line) {
      const int64_t at = line / inner * inner * length + line % inner;
      normalize(in[0].as<float>() + at, out[0].as<float>() + at, length, inner);
    }
    return {};
  }

 private:
  void normalize(const float* x, float* y, int64_t length, int64_t step) const {
    double total = 0;
    for (int64_t i = 0; i < length; ++i) {
      const double value = x[i * step];
      total += p_ == 1 ? std::fabs(value) : value * value;
    }
    const double norm = p_ == 1 ? total : std::sqrt(total);
    const auto inverse = static_cast<float>(norm > 0 ? 1.0 / norm : 0.0);
    for (int64_t i = 0; i < length; ++i) y[i * step] = x[i * step] * inverse;
  }

  const int64_t p_;
  const int64_t axis_;
};

Status lp_normalization_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_RETURN_IF_ERROR(normalize_axis(attributes.integer("axis"), in[0].rank).status());
  return like_first(attributes, in, out);
}

Result<std::unique_ptr<PreparedOp>> prepare_lp_normalization(const PrepareContext& context) {
  const int64_t p = context.attributes.integer("p");
  if (p != 1 && p != 2) return Unsupported("p is ", p, "; supported are 1 and 2");
  return make_prepared<LpNormalization>(p, context.attributes.integer("axis"));
}

// A sum of bytes would wrap: ONNX has none.
constexpr Types kSummed = kIndices | kF32 | Types(graph::DType::kFloat64);
constexpr Operand kAxes = Operand("axes", kI64).of_rank(1).optional().decides_shape();
constexpr Operand kSummedInputs[] = {Operand("data", kSummed).as('T'), kAxes};
constexpr Operand kSummedOutputs[] = {Operand("reduced", kSummed).as('T')};
constexpr Operand kComparedInputs[] = {Operand("data", kNumbers).as('T'), kAxes};
constexpr Operand kComparedOutputs[] = {Operand("reduced", kNumbers).as('T')};
constexpr AttributeSpec kReduceAttributes[] = {
    AttributeSpec::of_kind("axes", AttributeSpec::Kind::kIntegers),
    AttributeSpec::integer("keepdims", 1), AttributeSpec::integer("noop_with_empty_axes")};

template <Kind kKind>
constexpr Op reduction(std::string_view name, std::span<const Operand> inputs,
                       std::span<const Operand> outputs) {
  return {.name = name,
          .inputs = inputs,
          .outputs = outputs,
          .attributes = kReduceAttributes,
          .shape = reduce_shape,
          .cpu = prepare_reduce<kKind>};
}

constexpr Operand kVectors[] = {Operand("input", kF32).as('T')};
constexpr Operand kNormalized[] = {Operand("output", kF32).as('T')};
constexpr AttributeSpec kLpAttributes[] = {AttributeSpec::integer("axis", -1),
                                           AttributeSpec::integer("p", 2)};

}  // namespace

constexpr Op kReduceSum = reduction<Kind::kSum>("ReduceSum", kSummedInputs, kSummedOutputs);
constexpr Op kReduceMean = reduction<Kind::kMean>("ReduceMean", kSummedInputs, kSummedOutputs);
constexpr Op kReduceMax = reduction<Kind::kMax>("ReduceMax", kComparedInputs, kComparedOutputs);
constexpr Op kLpNormalization = {.name = "LpNormalization",
                                 .inputs = kVectors,
                                 .outputs = kNormalized,
                                 .attributes = kLpAttributes,
                                 .shape = lp_normalization_shape,
                                 .alias = 1,
                                 .cpu = prepare_lp_normalization};

}  // namespace enm::ops
