// Gather: slices of `data` along an axis, picked by indices; negative ones count from the end.
#include <cstring>

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

class Gather final : public PreparedOp {
 public:
  explicit Gather(int64_t axis) : axis_(axis) {}

  Status infer(Inputs in, Outputs out) const override {
    const TensorView& data = in[0];
    const TensorView& indices = in[1];
    if (indices.dtype != DType::kInt64 && indices.dtype != DType::kInt32) {
      return InvalidArgument("indices are ", view_str(indices), "; expected i64 or i32");
    }
    if (graph::dtype_bits(data.dtype) < 8) return Unsupported("data is ", view_str(data));
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, data.rank));
    if (data.rank + indices.rank - 1 > kMaxRank)
      return Unsupported("more than ", kMaxRank, " axes");
    TensorView& y = out[0];
    y.dtype = data.dtype;
    y.rank = 0;
    for (int i = 0; i < axis; ++i) y.dims[static_cast<size_t>(y.rank++)] = data.dim(i);
    for (int i = 0; i < indices.rank; ++i) y.dims[static_cast<size_t>(y.rank++)] = indices.dim(i);
    for (int i = axis + 1; i < data.rank; ++i) y.dims[static_cast<size_t>(y.rank++)] = data.dim(i);
    return {};
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const TensorView& data = in[0];
    const TensorView& indices = in[1];
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, data.rank));
    auto slice = static_cast<int64_t>(graph::dtype_bits(data.dtype) / 8);
    for (int i = axis + 1; i < data.rank; ++i) slice *= data.dim(i);
    int64_t outer = 1;
    for (int i = 0; i < axis; ++i) outer *= data.dim(i);
    const int64_t length = data.dim(axis);
    auto* to = out[0].as<uint8_t>();
    for (int64_t o = 0; o < outer; ++o) {
      const uint8_t* from = data.as<uint8_t>() + o * length * slice;
      for (int64_t i = 0; i < indices.count(); ++i, to += slice) {
        int64_t index =
            indices.dtype == DType::kInt64 ? indices.as<int64_t>()[i] : indices.as<int32_t>()[i];
        if (index < 0) index += length;
        if (index < 0 || index >= length) {
          return InvalidArgument("index ", index, " is outside of ", length, " slices");
        }
        std::memcpy(to, from + index * slice, static_cast<size_t>(slice));
      }
    }
    return {};
  }

 private:
  const int64_t axis_;
};

Result<std::unique_ptr<PreparedOp>> prepare_gather(const PrepareContext& context) {
  return make_prepared<Gather>(context.node.int_or("axis", 0));
}

}  // namespace

const Op kGather = {"Gather", "", 2, 2, 1, prepare_gather};

}  // namespace enm::ops
