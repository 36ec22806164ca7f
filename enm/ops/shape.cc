// Operators that only rename or count elements: Shape, Reshape, Unsqueeze, Squeeze, Flatten,
// Identity.
#include <cstring>

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

class Shape final : public PreparedOp {
 public:
  Shape(int64_t start, int64_t end) : start_(start), end_(end) {}

  Status infer(Inputs in, Outputs out) const override {
    const auto [begin, end] = range(in[0].rank);
    out[0].dtype = DType::kInt64;
    out[0].set_dims(std::array{end - begin});
    return {};
  }
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const auto [begin, end] = range(in[0].rank);
    for (int64_t axis = begin; axis < end; ++axis) {
      out[0].as<int64_t>()[axis - begin] = in[0].dim(static_cast<int>(axis));
    }
    return {};
  }

 private:
  std::pair<int64_t, int64_t> range(int rank) const {
    const auto clamp = [rank](int64_t at) {
      return std::min<int64_t>(std::max<int64_t>(at < 0 ? at + rank : at, 0), rank);
    };
    const int64_t begin = clamp(start_);
    return {begin, std::max(begin, clamp(end_))};
  }
  const int64_t start_;
  const int64_t end_;
};

// The elements in the same order under other dimensions, which `kRule` finds.
using DimsRule = Status (*)(const graph::Node& node, Inputs in, TensorView& out);

class Relabel final : public PreparedOp {
 public:
  Relabel(const graph::Node& node, DimsRule rule) : node_(node), rule_(rule) {}

  Status infer(Inputs in, Outputs out) const override {
    out[0].dtype = in[0].dtype;
    ENM_RETURN_IF_ERROR(rule_(node_, in, out[0]));
    if (out[0].count() != in[0].count()) {
      return InvalidArgument(view_str(in[0]), " does not fit ", view_str(out[0]));
    }
    return {};
  }
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    if (in[0].data != out[0].data) std::memcpy(out[0].data, in[0].data, in[0].bytes());
    return {};
  }
  bool in_place(size_t index) const override { return index == 0; }

 private:
  const graph::Node node_;
  const DimsRule rule_;
};

Status same_dims(const graph::Node&, Inputs in, TensorView& out) {
  out.set_dims({in[0].dims.data(), static_cast<size_t>(in[0].rank)});
  return {};
}

// 0 copies the input's dimension (unless allowzero), one -1 takes what is left.
Status reshape_dims(const graph::Node& node, Inputs in, TensorView& out) {
  ENM_ASSIGN_OR_RETURN(const SmallInts shape, read_small_ints(in[1], "shape"));
  const bool copy_zero = node.int_or("allowzero", 0) == 0;
  out.rank = shape.count;
  int open = -1;
  int64_t known = 1;
  for (int axis = 0; axis < out.rank; ++axis) {
    int64_t dim = shape.values[static_cast<size_t>(axis)];
    if (dim == 0 && copy_zero && axis < in[0].rank) dim = in[0].dim(axis);
    if (dim == -1 && open < 0) {
      open = axis;
      dim = 1;
    }
    if (dim < 0) return InvalidArgument("shape has ", dim, " at ", axis);
    out.dims[static_cast<size_t>(axis)] = dim;
    if (axis != open) known *= dim;
  }
  if (open >= 0 && known > 0) out.dims[static_cast<size_t>(open)] = in[0].count() / known;
  return {};
}

Result<uint32_t> axes_of(const graph::Node& node, Inputs in, int rank) {
  SmallInts axes;
  if (in.size() > 1 && in[1].given()) {
    ENM_ASSIGN_OR_RETURN(axes, read_small_ints(in[1], "axes"));
  } else if (const auto* given = node.ints("axes"); given != nullptr && given->size() <= kMaxRank) {
    for (int64_t axis : *given) axes.values[static_cast<size_t>(axes.count++)] = axis;
  }
  uint32_t bits = 0;
  for (int i = 0; i < axes.count; ++i) {
    const int full = rank < 0 ? -rank - 1 + axes.count : rank;  // Unsqueeze counts the new axes too
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axes.values[static_cast<size_t>(i)], full));
    bits |= 1u << axis;
  }
  return bits;
}

Status unsqueeze_dims(const graph::Node& node, Inputs in, TensorView& out) {
  ENM_ASSIGN_OR_RETURN(const uint32_t added, axes_of(node, in, -in[0].rank - 1));
  out.rank = in[0].rank + __builtin_popcount(added);
  if (out.rank > kMaxRank) return Unsupported("more than ", kMaxRank, " dimensions");
  for (int axis = 0, from = 0; axis < out.rank; ++axis) {
    out.dims[static_cast<size_t>(axis)] = (added >> axis & 1) != 0 ? 1 : in[0].dim(from++);
  }
  return {};
}

Status squeeze_dims(const graph::Node& node, Inputs in, TensorView& out) {
  ENM_ASSIGN_OR_RETURN(const uint32_t removed, axes_of(node, in, in[0].rank));
  const bool all = node.ints("axes") == nullptr && !(in.size() > 1 && in[1].given());
  out.rank = 0;
  for (int axis = 0; axis < in[0].rank; ++axis) {
    const bool drop = all ? in[0].dim(axis) == 1 : (removed >> axis & 1) != 0;
    if (!drop) out.dims[static_cast<size_t>(out.rank++)] = in[0].dim(axis);
  }
  return {};
}

Status flatten_dims(const graph::Node& node, Inputs in, TensorView& out) {
  int64_t axis = node.int_or("axis", 1);
  if (axis < 0) axis += in[0].rank;
  if (axis < 0 || axis > in[0].rank) return InvalidArgument("axis ", axis, " is out of range");
  out.rank = 2;
  out.dims[0] = out.dims[1] = 1;
  for (int i = 0; i < in[0].rank; ++i) out.dims[i < axis ? 0 : 1] *= in[0].dim(i);
  return {};
}

template <DimsRule kRule>
Result<std::unique_ptr<PreparedOp>> prepare_relabel(const PrepareContext& context) {
  return make_prepared<Relabel>(context.node, kRule);
}

Result<std::unique_ptr<PreparedOp>> prepare_shape(const PrepareContext& context) {
  return make_prepared<Shape>(context.node.int_or("start", 0),
                              context.node.int_or("end", kMaxRank));
}

}  // namespace

const Op kShape = {"Shape", "", 1, 1, 1, prepare_shape};
const Op kReshape = {"Reshape", "", 2, 2, 1, prepare_relabel<reshape_dims>};
const Op kUnsqueeze = {"Unsqueeze", "", 1, 2, 1, prepare_relabel<unsqueeze_dims>};
const Op kSqueeze = {"Squeeze", "", 1, 2, 1, prepare_relabel<squeeze_dims>};
const Op kFlatten = {"Flatten", "", 1, 1, 1, prepare_relabel<flatten_dims>};
const Op kIdentity = {"Identity", "", 1, 1, 1, prepare_relabel<same_dims>};

}  // namespace enm::ops
