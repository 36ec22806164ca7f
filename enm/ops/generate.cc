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
Tensor constant_value(const Attributes& attributes) {
  if (const Tensor* value = attributes.tensor("value")) return *value;
  if (attributes.has("value_float")) {
    return graph::make_tensor(DType::kFloat32, {}, std::vector{attributes.number("value_float")});
  }
  if (attributes.has("value_int")) {
    return graph::make_tensor(DType::kInt64, {}, std::vector{attributes.integer("value_int")});
  }
  const auto floats = attributes.numbers("value_floats");
  if (attributes.has("value_floats")) {
    return graph::make_tensor(DType::kFloat32, {static_cast<int64_t>(floats.size())},
                              std::vector(floats.begin(), floats.end()));
  }
  const auto integers = attributes.integers("value_ints");
  if (attributes.has("value_ints")) {
    return graph::make_tensor(DType::kInt64, {static_cast<int64_t>(integers.size())},
                              std::vector(integers.begin(), integers.end()));
  }
  return {};
}

DType constant_type(const Attributes& attributes, std::span<const DType>) {
  return constant_value(attributes).dtype;
}

Status constant_shape(const Attributes& attributes, Inputs, Outputs out) {
  const Tensor value = constant_value(attributes);
  if (value.dims.size() > kMaxRank) return Unsupported("more than ", kMaxRank, " dimensions");
  out[0].set_dims(value.dims);
  ENM_ASSIGN_OR_RETURN(const int64_t count, graph::checked_element_count(value.dims));
  if (graph::byte_size(value.dtype, count) == value.data.size()) return {};
  return Corrupt("value is ", type_str(value.type()), " and has ", value.data.size(), " bytes");
}

class Constant final : public PreparedOp {
 public:
  explicit Constant(Blob bytes) : bytes_(std::move(bytes)) {}

  Status run(const RunContext&, Inputs, Outputs out) const override {
    if (bytes_.size() > 0) std::memcpy(out[0].data, bytes_.data(), bytes_.size());
    return {};
  }

 private:
  const Blob bytes_;
};

DType filler_type(const Attributes& attributes, std::span<const DType>) {
  const Tensor* value = attributes.tensor("value");
  return value != nullptr ? value->dtype : DType::kFloat32;
}

Status filled_shape(const Attributes&, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const SmallInts shape, read_small_ints(in[0], "shape"));
  out[0].set_dims(shape.all());
  return {};
}

class ConstantOfShape final : public PreparedOp {
 public:
  explicit ConstantOfShape(const Blob& value) {
    std::memcpy(value_.data(), value.data(), value.size());
  }

  Status run(const RunContext&, Inputs, Outputs out) const override {
    const auto size = static_cast<size_t>(graph::dtype_bits(out[0].dtype) / 8);
    for (int64_t i = 0; i < out[0].count(); ++i) {
      std::memcpy(out[0].as<uint8_t>() + i * static_cast<int64_t>(size), value_.data(), size);
    }
    return {};
  }

 private:
  std::array<uint8_t, 8> value_{};
};

// Inputs: start, limit, delta, scalars of one type.
Status range_shape(const Attributes&, Inputs in, Outputs out) {
  for (const TensorView& view : in) {
    if (view.count() != 1) return InvalidArgument("an end of the range is ", view_str(view));
    if (view.data == nullptr)
      return InvalidArgument("the range is not known before the graph runs");
  }
  double steps = 0;
  with_number(in[0].dtype, [&](auto zero) {
    using T = decltype(zero);
    const auto start = static_cast<double>(*in[0].as<T>());
    const auto limit = static_cast<double>(*in[1].as<T>());
    const auto delta = static_cast<double>(*in[2].as<T>());
    steps = std::ceil((limit - start) / delta);
  });
  if (!(steps < 0x1p31)) return InvalidArgument("the range has no end");
  out[0].set_dims(std::array{steps > 0 ? static_cast<int64_t>(steps) : int64_t{0}});
  return {};
}

class Range final : public PreparedOp {
 public:
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    with_number(in[0].dtype, [&](auto zero) {
      using T = decltype(zero);
      T value = *in[0].as<T>();
      for (int64_t i = 0; i < out[0].count(); ++i) {
        out[0].as<T>()[i] = value;
        if (i + 1 < out[0].count()) value = static_cast<T>(value + *in[2].as<T>());
      }
    });
    return {};
  }
};

Result<std::unique_ptr<PreparedOp>> prepare_constant(const PrepareContext& context) {
  ENM_ASSIGN_OR_RETURN(Blob bytes, constant_value(context.attributes).data.load());
  return make_prepared<Constant>(std::move(bytes));
}

Result<std::unique_ptr<PreparedOp>> prepare_constant_of_shape(const PrepareContext& context) {
  const Tensor* given = context.attributes.tensor("value");
  const Tensor value =
      given != nullptr ? *given : graph::make_tensor(DType::kFloat32, {1}, std::vector{0.0f});
  ENM_ASSIGN_OR_RETURN(const int64_t count, graph::checked_element_count(value.dims));
  const auto bits = static_cast<uint64_t>(graph::dtype_bits(value.dtype));
  if (count != 1 || bits < 8 || value.data.size() != bits / 8) {
    return Unsupported("value is ", type_str(value.type()), "; expected one element");
  }
  ENM_ASSIGN_OR_RETURN(const Blob bytes, value.data.load());
  return make_prepared<ConstantOfShape>(bytes);
}

Result<std::unique_ptr<PreparedOp>> prepare_range(const PrepareContext&) {
  return make_prepared<Range>();
}

using Kind = AttributeSpec::Kind;
constexpr Operand kOutput[] = {Operand("output", kFixedSize)};
constexpr Operand kShapeInput[] = {Operand("input", kI64).of_rank(1).decides_shape()};
constexpr Operand kRangeInputs[] = {Operand("start", kNumbers).as('T').decides_shape(),
                                    Operand("limit", kNumbers).as('T').decides_shape(),
                                    Operand("delta", kNumbers).as('T').decides_shape()};
constexpr Operand kRangeOutput[] = {Operand("output", kNumbers).as('T')};
constexpr AttributeSpec kValues[] = {
    AttributeSpec::of_kind("value", Kind::kTensor),
    AttributeSpec::real("value_float"),
    AttributeSpec::of_kind("value_floats", Kind::kFloats),
    AttributeSpec::integer("value_int"),
    AttributeSpec::of_kind("value_ints", Kind::kIntegers),
    AttributeSpec::string("value_string").only(),
    AttributeSpec::of_kind("value_strings", Kind::kStrings).only()};
constexpr AttributeSpec kFiller[] = {AttributeSpec::of_kind("value", Kind::kTensor)};

}  // namespace

constexpr Op kConstant = {.name = "Constant",
                          .outputs = kOutput,
                          .attributes = kValues,
                          .shape = constant_shape,
                          .type = constant_type,
                          .cpu = prepare_constant};
constexpr Op kConstantOfShape = {.name = "ConstantOfShape",
                                 .since = 9,
                                 .inputs = kShapeInput,
                                 .outputs = kOutput,
                                 .attributes = kFiller,
                                 .shape = filled_shape,
                                 .type = filler_type,
                                 .cpu = prepare_constant_of_shape};
constexpr Op kRange = {.name = "Range",
                       .since = 11,
                       .inputs = kRangeInputs,
                       .outputs = kRangeOutput,
                       .shape = range_shape,
                       .cpu = prepare_range};

}  // namespace enm::ops
