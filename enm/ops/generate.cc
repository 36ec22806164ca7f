// Operators that make tensors from attributes or sizes: Constant, ConstantOfShape, Range.
#include <cmath>
#include <cstring>

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;
using graph::Tensor;

// The `value...` attribute of a Constant; kUndefined if it has none of the kinds we read.
Tensor constant_value(const graph::Node& node) {
  if (const Tensor* value = node.tensor("value")) return *value;
  for (const auto& [key, attribute] : node.attributes) {
    if (const auto* one = std::get_if<float>(&attribute); one != nullptr && key == "value_float") {
      return graph::make_tensor(DType::kFloat32, {}, std::vector{*one});
    }
    if (const auto* one = std::get_if<int64_t>(&attribute); one != nullptr && key == "value_int") {
      return graph::make_tensor(DType::kInt64, {}, std::vector{*one});
    }
    if (const auto* all = std::get_if<std::vector<float>>(&attribute)) {
      return graph::make_tensor(DType::kFloat32, {static_cast<int64_t>(all->size())}, *all);
    }
    if (const auto* all = std::get_if<std::vector<int64_t>>(&attribute)) {
      return graph::make_tensor(DType::kInt64, {static_cast<int64_t>(all->size())}, *all);
    }
  }
  return {};
}

class Constant final : public PreparedOp {
 public:
  Constant(DType dtype, std::vector<int64_t> dims, Blob bytes)
      : dtype_(dtype), dims_(std::move(dims)), bytes_(std::move(bytes)) {}

  Status infer(Inputs, Outputs out) const override {
    out[0].dtype = dtype_;
    out[0].set_dims(dims_);
    return {};
  }
  Status run(const RunContext&, Inputs, Outputs out) const override {
    if (bytes_.size() > 0) std::memcpy(out[0].data, bytes_.data(), bytes_.size());
    return {};
  }

 private:
  const DType dtype_;
  const std::vector<int64_t> dims_;
  const Blob bytes_;
};

class ConstantOfShape final : public PreparedOp {
 public:
  ConstantOfShape(DType dtype, const Blob& value) : dtype_(dtype) {
    std::memcpy(value_.data(), value.data(), value.size());
  }

  Status infer(Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const SmallInts shape, read_small_ints(in[0], "shape"));
    ENM_RETURN_IF_ERROR(
        graph::checked_element_count({shape.values.begin(), shape.values.begin() + shape.count})
            .status());
    out[0].dtype = dtype_;
    out[0].set_dims({shape.values.data(), static_cast<size_t>(shape.count)});
    return {};
  }
  Status run(const RunContext&, Inputs, Outputs out) const override {
    const auto size = static_cast<size_t>(graph::dtype_bits(dtype_) / 8);
    for (int64_t i = 0; i < out[0].count(); ++i) {
      std::memcpy(out[0].as<uint8_t>() + i * static_cast<int64_t>(size), value_.data(), size);
    }
    return {};
  }

 private:
  const DType dtype_;
  std::array<uint8_t, 8> value_{};
};

// Inputs: start, limit, delta, scalars of one type.
class Range final : public PreparedOp {
 public:
  Status infer(Inputs in, Outputs out) const override {
    for (const TensorView& view : in) {
      ENM_RETURN_IF_ERROR(expect_dtype(view, in[0].dtype, "an end of the range"));
      if (view.count() != 1) return InvalidArgument("an end of the range is ", view_str(view));
      if (view.data == nullptr) {
        return InvalidArgument("the range is not known before the graph runs");
      }
    }
    int64_t count = 0;
    ENM_RETURN_IF_ERROR(with_numeric(in[0].dtype, "the range", [&](auto zero) {
      using T = decltype(zero);
      const auto start = static_cast<double>(*in[0].as<T>());
      const auto limit = static_cast<double>(*in[1].as<T>());
      const auto delta = static_cast<double>(*in[2].as<T>());
      const double steps = std::ceil((limit - start) / delta);
      if (delta == 0 || !(steps < 0x1p31)) return InvalidArgument("the range has no end");
      count = steps > 0 ? static_cast<int64_t>(steps) : 0;
      return Status();
    }));
    out[0].dtype = in[0].dtype;
    out[0].set_dims(std::array{count});
    return {};
  }
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    return with_numeric(in[0].dtype, "the range", [&](auto zero) {
      using T = decltype(zero);
      T value = *in[0].as<T>();
      for (int64_t i = 0; i < out[0].count(); ++i) {
        out[0].as<T>()[i] = value;
        if (i + 1 < out[0].count()) value = static_cast<T>(value + *in[2].as<T>());
      }
      return Status();
    });
  }
};

Result<std::unique_ptr<PreparedOp>> prepare_constant(const PrepareContext& context) {
  const Tensor value = constant_value(context.node);
  if (value.dtype == DType::kUndefined || value.dims.size() > kMaxRank) {
    return Unsupported("no value of a kind that is supported");
  }
  ENM_ASSIGN_OR_RETURN(Blob bytes, value.data.load());
  return make_prepared<Constant>(value.dtype, value.dims, std::move(bytes));
}

Result<std::unique_ptr<PreparedOp>> prepare_constant_of_shape(const PrepareContext& context) {
  const Tensor* given = context.node.tensor("value");
  const Tensor value =
      given != nullptr ? *given : graph::make_tensor(DType::kFloat32, {1}, std::vector{0.0f});
  const int bits = graph::dtype_bits(value.dtype);
  if (value.element_count() != 1 || bits < 8) {
    return Unsupported("value is ", type_str(value.type()), "; expected one element");
  }
  ENM_ASSIGN_OR_RETURN(const Blob bytes, value.data.load());
  return make_prepared<ConstantOfShape>(value.dtype, bytes);
}

Result<std::unique_ptr<PreparedOp>> prepare_range(const PrepareContext&) {
  return make_prepared<Range>();
}

}  // namespace

const Op kConstant = {"Constant", "", 0, 0, 1, prepare_constant};
const Op kConstantOfShape = {"ConstantOfShape", "", 1, 1, 1, prepare_constant_of_shape};
const Op kRange = {"Range", "", 3, 3, 1, prepare_range};

}  // namespace enm::ops
