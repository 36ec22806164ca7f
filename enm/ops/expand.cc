// Operators that make a tensor larger or cut it: Expand, Split, CumSum.
#include <cstring>

#include "enm/ops/broadcast.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

class Expand final : public PreparedOp {
 public:
  Status infer(Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const SmallInts shape, read_small_ints(in[1], "shape"));
    TensorView target;
    target.set_dims({shape.values.data(), static_cast<size_t>(shape.count)});
    for (int axis = 0; axis < target.rank; ++axis) {
      if (target.dim(axis) < 0) return InvalidArgument("shape has ", target.dim(axis));
    }
    out[0].dtype = in[0].dtype;
    ENM_RETURN_IF_ERROR(broadcast_dims(in[0], target, out[0]));
    return graph::checked_element_count({out[0].dims.begin(), out[0].dims.begin() + out[0].rank})
        .status();
  }
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const BroadcastStrides strides(in[0], out[0]);
    return copy_strided(in[0].data, 0, strides.of, out[0]);
  }
};

// Lengths by an input, or by an attribute before opset 13, or equal parts of which the last may be
// shorter.
class Split final : public PreparedOp {
 public:
  explicit Split(const graph::Node& node) : axis_(node.int_or("axis", 0)) {
    if (const auto* given = node.ints("split")) lengths_ = *given;
  }

  Status infer(Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    if (graph::dtype_bits(in[0].dtype) < 8) return Unsupported("input is ", view_str(in[0]));
    const int64_t whole = in[0].dim(axis);
    const auto parts = static_cast<int64_t>(out.size());
    const int64_t part = (whole + parts - 1) / parts;
    int64_t at = 0;
    for (int64_t i = 0; i < parts; ++i) {
      ENM_ASSIGN_OR_RETURN(int64_t length, given_length(in, i, parts));
      if (length < 0) length = std::min(part, whole - at);
      const auto o = static_cast<size_t>(i);
      out[o] = in[0];
      out[o].dims[static_cast<size_t>(axis)] = std::max<int64_t>(length, 0);
      at += out[o].dim(axis);
    }
    if (at == whole) return {};
    return InvalidArgument("parts add up to ", at, ", axis ", axis, " has ", whole);
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    auto inner = static_cast<int64_t>(graph::dtype_bits(in[0].dtype) / 8);
    for (int i = axis + 1; i < in[0].rank; ++i) inner *= in[0].dim(i);
    int64_t outer = 1;
    for (int i = 0; i < axis; ++i) outer *= in[0].dim(i);
    const auto* from = in[0].as<uint8_t>();
    for (int64_t o = 0; o < outer; ++o) {
      for (TensorView& view : out) {
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
  // -1 where nothing says.
  Result<int64_t> given_length(Inputs in, int64_t part, int64_t parts) const {
    if (in.size() > 1 && in[1].given()) {
      if (in[1].data == nullptr) return InvalidArgument("split is not known before the graph runs");
      ENM_RETURN_IF_ERROR(expect_dtype(in[1], DType::kInt64, "split"));
      if (in[1].count() != parts)
        return InvalidArgument(in[1].count(), " lengths, ", parts, " outputs");
      return std::max<int64_t>(in[1].as<int64_t>()[part], 0);
    }
    if (lengths_.empty()) return int64_t{-1};
    if (static_cast<int64_t>(lengths_.size()) != parts) {
      return InvalidArgument(lengths_.size(), " lengths, ", parts, " outputs");
    }
    return std::max<int64_t>(lengths_[static_cast<size_t>(part)], 0);
  }

  const int64_t axis_;
  std::vector<int64_t> lengths_;
};

// Inputs: x, axis. Sums of all elements up to this one; `exclusive` leaves it out, `reverse` counts
// from the end.
class CumSum final : public PreparedOp {
 public:
  CumSum(bool exclusive, bool reverse) : exclusive_(exclusive), reverse_(reverse) {}

  Status infer(Inputs in, Outputs out) const override {
    out[0] = in[0];
    return {};
  }
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const SmallInts given, read_small_ints(in[1], "axis"));
    if (given.count != 1) return InvalidArgument("axis is ", view_str(in[1]));
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(given.values[0], in[0].rank));
    int64_t inner = 1;
    for (int i = axis + 1; i < in[0].rank; ++i) inner *= in[0].dim(i);
    return with_numeric(in[0].dtype, "x", [&](auto zero) {
      add_up<decltype(zero)>(in[0], in[0].dim(axis), inner, out[0]);
      return Status();
    });
  }

 private:
  template <typename T>
  void add_up(const TensorView& x, int64_t length, int64_t inner, const TensorView& y) const {
    const int64_t lines = length == 0 ? 0 : x.count() / length;
    const int64_t step = reverse_ ? -inner : inner;
    for (int64_t line = 0; line < lines; ++line) {
      int64_t at = line / inner * inner * length + line % inner;
      if (reverse_) at += (length - 1) * inner;
      T sum{};
      for (int64_t i = 0; i < length; ++i, at += step) {
        const T before = sum;
        sum = static_cast<T>(sum + x.as<T>()[at]);
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
  return make_prepared<Split>(context.node);
}
Result<std::unique_ptr<PreparedOp>> prepare_cumsum(const PrepareContext& context) {
  return make_prepared<CumSum>(context.node.int_or("exclusive", 0) != 0,
                               context.node.int_or("reverse", 0) != 0);
}

}  // namespace

const Op kExpand = {"Expand", "", 2, 2, 1, prepare_expand};
const Op kSplit = {"Split", "", 1, 2, kMaxOutputs, prepare_split};
const Op kCumSum = {"CumSum", "", 2, 2, 1, prepare_cumsum};

}  // namespace enm::ops
