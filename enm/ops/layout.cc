// Operators that move elements: Transpose, Slice, Concat.
#include <algorithm>
#include <cstring>
#include <limits>

#include "enm/ops/broadcast.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

std::array<int64_t, kMaxRank> strides_of(const TensorView& x) {
  std::array<int64_t, kMaxRank> strides{};
  int64_t stride = 1;
  for (int axis = x.rank - 1; axis >= 0; --axis) {
    strides[static_cast<size_t>(axis)] = stride;
    stride *= x.dim(axis);
  }
  return strides;
}

class Transpose final : public PreparedOp {
 public:
  explicit Transpose(const std::vector<int64_t>* perm) {
    if (perm != nullptr) perm_ = *perm;
  }

  Status infer(Inputs in, Outputs out) const override {
    const int rank = in[0].rank;
    uint32_t seen = 0;
    if (!perm_.empty() && static_cast<int>(perm_.size()) != rank) {
      return InvalidArgument("perm has ", perm_.size(), " axes, the input ", rank);
    }
    out[0] = in[0];
    for (int axis = 0; axis < rank; ++axis) {
      const int64_t from = source(axis, rank);
      if (from < 0 || from >= rank || (seen >> from & 1) != 0)
        return InvalidArgument("perm is none");
      seen |= 1u << from;
      out[0].dims[static_cast<size_t>(axis)] = in[0].dim(static_cast<int>(from));
    }
    return {};
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const auto own = strides_of(in[0]);
    std::array<int64_t, kMaxRank> strides{};
    for (int axis = 0; axis < in[0].rank; ++axis) {
      strides[static_cast<size_t>(axis)] = own[static_cast<size_t>(source(axis, in[0].rank))];
    }
    return copy_strided(in[0].data, 0, strides, out[0]);
  }

 private:
  int64_t source(int axis, int rank) const {
    return perm_.empty() ? rank - 1 - axis : perm_[static_cast<size_t>(axis)];
  }
  std::vector<int64_t> perm_;
};

// Inputs: data, starts, ends, axes?, steps?.
class Slice final : public PreparedOp {
 public:
  Status infer(Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const Box box, box_of(in));
    out[0].dtype = in[0].dtype;
    out[0].set_dims({box.lengths.data(), static_cast<size_t>(in[0].rank)});
    return {};
  }

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

 private:
  struct Box {
    std::array<int64_t, kMaxRank> starts{}, lengths{}, steps{};
  };

  static Result<Box> box_of(Inputs in) {
    const TensorView& x = in[0];
    ENM_ASSIGN_OR_RETURN(const SmallInts starts, read_small_ints(in[1], "starts"));
    ENM_ASSIGN_OR_RETURN(const SmallInts ends, read_small_ints(in[2], "ends"));
    SmallInts axes;
    SmallInts steps;
    for (int i = 0; i < starts.count; ++i) {
      axes.values[static_cast<size_t>(i)] = i;
      steps.values[static_cast<size_t>(i)] = 1;
    }
    if (in.size() > 3 && in[3].given()) {
      ENM_ASSIGN_OR_RETURN(axes, read_small_ints(in[3], "axes"));
    }
    if (in.size() > 4 && in[4].given()) {
      ENM_ASSIGN_OR_RETURN(steps, read_small_ints(in[4], "steps"));
    }
    Box box;
    for (int axis = 0; axis < x.rank; ++axis) {
      box.lengths[static_cast<size_t>(axis)] = x.dim(axis);
      box.steps[static_cast<size_t>(axis)] = 1;
    }
    for (int i = 0; i < starts.count; ++i) {
      const auto at = static_cast<size_t>(i);
      ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axes.values[at], x.rank));
      ENM_RETURN_IF_ERROR(
          cut(box, axis, x.dim(axis), starts.values[at], ends.values[at], steps.values[at]));
    }
    return box;
  }

  static Status cut(Box& box, int axis, int64_t dim, int64_t start, int64_t end, int64_t step) {
    constexpr int64_t kLeast = std::numeric_limits<int64_t>::min() / 2;
    if (step == 0 || step < -dim - 1) step = step == 0 ? 0 : -dim - 1;
    if (step == 0) return InvalidArgument("a step of 0");
    step = std::min(step, dim + 1);
    const int64_t low = step > 0 ? 0 : -1;
    const int64_t high = step > 0 ? dim : dim - 1;
    const auto clamp = [&](int64_t value) {
      value = std::max(value, kLeast);
      return std::clamp(value < 0 ? value + dim : value, low, high);
    };
    const int64_t first = step < 0 && start >= dim ? dim - 1 : clamp(start);
    const int64_t last = clamp(end);
    const int64_t span = step > 0 ? last - first : first - last;
    const int64_t stride = step > 0 ? step : -step;
    const auto a = static_cast<size_t>(axis);
    box.starts[a] = first;
    box.steps[a] = step;
    box.lengths[a] = span > 0 ? (span + stride - 1) / stride : 0;
    if (box.lengths[a] == 0) box.starts[a] = 0;
    return {};
  }
};

class Concat final : public PreparedOp {
 public:
  explicit Concat(int64_t axis) : axis_(axis) {}

  Status infer(Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    out[0] = in[0];
    for (size_t i = 1; i < in.size(); ++i) {
      TensorView other = in[i];
      if (other.rank == in[0].rank) other.dims[static_cast<size_t>(axis)] = in[0].dim(axis);
      if (other.dtype != in[0].dtype || !other.same_dims(in[0])) {
        return InvalidArgument(view_str(in[i]), " does not join ", view_str(in[0]));
      }
      out[0].dims[static_cast<size_t>(axis)] += in[i].dim(axis);
    }
    return {};
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    int64_t outer = 1;
    for (int i = 0; i < axis; ++i) outer *= in[0].dim(i);
    auto* to = out[0].as<uint8_t>();
    for (int64_t o = 0; o < outer; ++o) {
      for (const TensorView& view : in) {
        const auto part = view.bytes() / static_cast<uint64_t>(outer);
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
  return make_prepared<Transpose>(context.node.ints("perm"));
}
Result<std::unique_ptr<PreparedOp>> prepare_slice(const PrepareContext&) {
  return make_prepared<Slice>();
}
Result<std::unique_ptr<PreparedOp>> prepare_concat(const PrepareContext& context) {
  return make_prepared<Concat>(context.node.int_or("axis", 0));
}

}  // namespace

const Op kTranspose = {"Transpose", "", 1, 1, 1, prepare_transpose};
const Op kSlice = {"Slice", "", 3, 5, 1, prepare_slice};
const Op kConcat = {"Concat", "", 1, kMaxInputs, 1, prepare_concat};

}  // namespace enm::ops
