// ReduceSum, ReduceMean, ReduceMax; axes as an input or, before opset 13 (18 for mean and max), as
// an attribute. LpNormalization, which divides by such a sum.
#include <algorithm>
#include <cmath>
#include <limits>

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

enum class Kind { kSum, kMean, kMax };

// Which axes fold: bit i for axis i.
struct AxisSet {
  uint32_t bits = 0;
  bool has(int axis) const { return (bits >> axis & 1) != 0; }
};

class Reduce final : public PreparedOp {
 public:
  Reduce(Kind kind, const std::vector<int64_t>* axes, bool keep_dims, bool noop_when_empty)
      : kind_(kind), keep_dims_(keep_dims), noop_when_empty_(noop_when_empty) {
    if (axes != nullptr) axes_ = *axes;
  }

  Status infer(Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const AxisSet folded, axes_of(in));
    out[0].dtype = in[0].dtype;
    out[0].rank = 0;
    for (int axis = 0; axis < in[0].rank; ++axis) {
      if (!folded.has(axis)) out[0].dims[static_cast<size_t>(out[0].rank++)] = in[0].dim(axis);
      if (folded.has(axis) && keep_dims_) out[0].dims[static_cast<size_t>(out[0].rank++)] = 1;
    }
    return {};
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const AxisSet folded, axes_of(in));
    return with_numeric(in[0].dtype, "input", [&](auto zero) {
      reduce<decltype(zero)>(in[0], folded, out[0]);
      return Status();
    });
  }

 private:
  Result<AxisSet> axes_of(Inputs in) const {
    SmallInts given;
    if (in.size() > 1 && in[1].given()) {
      ENM_ASSIGN_OR_RETURN(given, read_small_ints(in[1], "axes"));
    } else {
      if (axes_.size() > kMaxRank) return InvalidArgument(axes_.size(), " axes");
      for (int64_t axis : axes_) given.values[static_cast<size_t>(given.count++)] = axis;
    }
    AxisSet folded;
    if (given.count == 0 && !noop_when_empty_) folded.bits = (1u << in[0].rank) - 1;
    for (int i = 0; i < given.count; ++i) {
      ENM_ASSIGN_OR_RETURN(const int axis,
                           normalize_axis(given.values[static_cast<size_t>(i)], in[0].rank));
      folded.bits |= 1u << axis;
    }
    return folded;
  }

  template <typename T>
  void reduce(const TensorView& x, AxisSet folded, const TensorView& y) const {
    T* out = y.as<T>();
    const int64_t results = y.count();
    const T least = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity()
                                                         : std::numeric_limits<T>::lowest();
    const T start = kind_ == Kind::kMax ? least : T{0};
    std::fill(out, out + results, start);
    // Steps of the output along each input axis, 0 along folded ones.
    std::array<int64_t, kMaxRank> steps{};
    int64_t stride = 1;
    for (int axis = x.rank - 1; axis >= 0; --axis) {
      if (folded.has(axis)) continue;
      steps[static_cast<size_t>(axis)] = stride;
      stride *= x.dim(axis);
    }
    std::array<int64_t, kMaxRank> at{};
    int64_t position = 0;
    for (int64_t i = 0; i < x.count(); ++i) {
      T& into = out[position];
      const T value = x.as<T>()[i];
      into = kind_ == Kind::kMax ? (value > into || value != value ? value : into)
                                 : static_cast<T>(into + value);
      for (int axis = x.rank - 1; axis >= 0; --axis) {
        const auto a = static_cast<size_t>(axis);
        position += steps[a];
        if (++at[a] < x.dim(axis)) break;
        position -= steps[a] * x.dim(axis);
        at[a] = 0;
      }
    }
    if (kind_ != Kind::kMean || results == 0) return;
    const auto count = static_cast<T>(x.count() / results);
    for (int64_t i = 0; i < results; ++i) out[i] = static_cast<T>(out[i] / count);
  }

  const Kind kind_;
  std::vector<int64_t> axes_;
  const bool keep_dims_;
  const bool noop_when_empty_;
};

template <Kind kKind>
Result<std::unique_ptr<PreparedOp>> prepare_reduce(const PrepareContext& context) {
  return make_prepared<Reduce>(kKind, context.node.ints("axes"),
                               context.node.int_or("keepdims", 1) != 0,
                               context.node.int_or("noop_with_empty_axes", 0) != 0);
}

// x / (sum |x|^p)^(1/p) along an axis, p = 1 or 2; lines of zeros stay zeros.
class LpNormalization final : public PreparedOp {
 public:
  LpNormalization(int64_t p, int64_t axis) : p_(p), axis_(axis) {}

  Status infer(Inputs in, Outputs out) const override {
    ENM_RETURN_IF_ERROR(expect_dtype(in[0], graph::DType::kFloat32, "input"));
    out[0] = in[0];
    return normalize_axis(axis_, in[0].rank).status();
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    const int64_t length = in[0].dim(axis);
    int64_t inner = 1;
    for (int i = axis + 1; i < in[0].rank; ++i) inner *= in[0].dim(i);
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

Result<std::unique_ptr<PreparedOp>> prepare_lp_normalization(const PrepareContext& context) {
  const int64_t p = context.node.int_or("p", 2);
  if (p != 1 && p != 2) return Unsupported("p is ", p, "; supported are 1 and 2");
  return make_prepared<LpNormalization>(p, context.node.int_or("axis", -1));
}

}  // namespace

const Op kReduceSum = {"ReduceSum", "", 1, 2, 1, prepare_reduce<Kind::kSum>};
const Op kReduceMean = {"ReduceMean", "", 1, 2, 1, prepare_reduce<Kind::kMean>};
const Op kReduceMax = {"ReduceMax", "", 1, 2, 1, prepare_reduce<Kind::kMax>};
const Op kLpNormalization = {"LpNormalization", "", 1, 1, 1, prepare_lp_normalization};

}  // namespace enm::ops
