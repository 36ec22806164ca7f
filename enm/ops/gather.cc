// Gather: slices of `data` along an axis, picked by indices; negative ones count from the end.
#include <cstring>

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

Status gather_shape(const Attributes& attributes, Inputs in, Outputs out) {
  const TensorView& data = in[0];
  ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(attributes.integer("axis"), data.rank));
  for (int i = 0; i < axis; ++i) ENM_RETURN_IF_ERROR(push_dim(out[0], data.dim(i)));
  for (int64_t dim : in[1].shape()) ENM_RETURN_IF_ERROR(push_dim(out[0], dim));
  for (int i = axis + 1; i < data.rank; ++i) ENM_RETURN_IF_ERROR(push_dim(out[0], data.dim(i)));
  return {};
}

class Gather final : public PreparedOp {
 public:
  explicit Gather(int64_t axis) : axis_(axis) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const TensorView& data = in[0];
    const TensorView& indices = in[1];
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, data.rank));
    const int64_t slice =
        dims_product(data, axis + 1, data.rank) * graph::dtype_bits(data.dtype) / 8;
    const int64_t outer = dims_product(data, 0, axis);
    const int64_t length = data.dim(axis);
    const int64_t count = indices.count();
    for (int64_t i = 0; i < count; ++i) {
      const int64_t index = index_at(indices, i);
      if (index < -length || index >= length) {
        return InvalidArgument("index ", index, " is outside of ", length, " slices");
      }
    }
    if (out[0].count() == 0) return {};
    auto* to = out[0].as<uint8_t>();
    for (int64_t o = 0; o < outer; ++o) {
      const uint8_t* from = data.as<uint8_t>() + o * length * slice;
      for (int64_t i = 0; i < count; ++i, to += slice) {
        const int64_t index = index_at(indices, i);
        std::memcpy(to, from + (index < 0 ? index + length : index) * slice,
                    static_cast<size_t>(slice));
      }
    }
    return {};
  }

 private:
  const int64_t axis_;
};

Result<std::unique_ptr<PreparedOp>> prepare_gather(const PrepareContext& context) {
  return make_prepared<Gather>(context.attributes.integer("axis"));
}

constexpr Operand kInputs[] = {Operand("data", kFixedSize).as('T'), Operand("indices", kIndices)};
constexpr Operand kOutput[] = {Operand("output", kFixedSize).as('T')};
constexpr AttributeSpec kAxis[] = {AttributeSpec::integer("axis")};

}  // namespace

constexpr Op kGather = {.name = "Gather",
                        .inputs = kInputs,
                        .outputs = kOutput,
                        .attributes = kAxis,
                        .shape = gather_shape,
                        .traits = kHalfSafe,
                        .cpu = prepare_gather};

}  // namespace enm::ops
