// DynamicQuantizeLinear, QuantizeLinear and DequantizeLinear: floats to 8-bit integers and back,
// with one scale for the tensor or one for each slice of an axis.
#include "enm/kernels/quantize_linear/quantize_linear.h"

#include <algorithm>

#include "enm/ops/quantize_support.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {

using graph::DType;

kernels::QuantizeParameters dynamic_range(const kernels::QuantizeLinearKernels& kernels,
                                          ThreadPool& pool, const float* x, int64_t count,
                                          float* scratch) {
  const int64_t parts = (count + kRangePart - 1) / kRangePart;
  pool.parallel_for(parts, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t part = begin; part < end; ++part) {
      float* range = scratch + part * 2;
      range[0] = range[1] = 0;
      const int64_t from = part * kRangePart;
      kernels.range(x + from, std::min(kRangePart, count - from), range, range + 1);
    }
  });
  float low = 0;
  float high = 0;
  for (int64_t part = 0; part < parts; ++part) {
    low = std::min(low, scratch[part * 2]);
    high = std::max(high, scratch[part * 2 + 1]);
  }
  return kernels::choose_quantize_parameters(low, high);
}

void quantize_all(const kernels::QuantizeLinearKernels& kernels, ThreadPool& pool, const float* x,
                  int64_t count, const kernels::QuantizeParameters& grid, uint8_t* y) {
  pool.parallel_for(count, kRangePart, [&](int64_t begin, int64_t end, int) {
    kernels.quantize(x + begin, end - begin, grid.scale, grid.zero, y + begin);
  });
}

namespace {

class DynamicQuantizeLinear final : public PreparedOp {
 public:
  explicit DynamicQuantizeLinear(const kernels::QuantizeLinearKernels& kernels)
      : kernels_(kernels) {}

  uint64_t scratch_bytes(Inputs in, int) const override {
    return static_cast<uint64_t>(dynamic_range_floats(in[0].count())) * sizeof(float);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const int64_t count = in[0].count();
    const auto grid = dynamic_range(kernels_, *context.pool, in[0].as<float>(), count,
                                    reinterpret_cast<float*>(context.scratch));
    quantize_all(kernels_, *context.pool, in[0].as<float>(), count, grid, out[0].as<uint8_t>());
    *out[1].as<float>() = grid.scale;
    *out[2].as<uint8_t>() = static_cast<uint8_t>(grid.zero);
    return {};
  }

 private:
  const kernels::QuantizeLinearKernels& kernels_;
};

// How scales lie over a tensor: `outer` times, for each of `slices` slices, `inner` elements.
struct Slices {
  int64_t outer = 1;
  int64_t slices = 1;
  int64_t inner = 1;
};

Result<Slices> slices_of(const TensorView& x, const TensorView& scale, int64_t axis_given) {
  if (scale.count() == 1 && scale.rank <= 1) return Slices{1, 1, x.count()};
  ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_given, x.rank));
  if (scale.rank != 1 || scale.count() != x.dim(axis)) {
    return Unsupported("scale is ", view_str(scale), " for ", view_str(x), " along axis ", axis,
                       "; expected one, or one for each slice");
  }
  return Slices{dims_product(x, 0, axis), x.dim(axis), dims_product(x, axis + 1, x.rank)};
}

// Calls body(begin, end, slice) for every run of elements that share a scale.
template <typename Body>
void for_each_slice(const Slices& slices, Body body) {
  int64_t at = 0;
  for (int64_t outer = 0; outer < slices.outer && slices.inner > 0; ++outer) {
    for (int64_t slice = 0; slice < slices.slices; ++slice, at += slices.inner) {
      body(at, at + slices.inner, slice);
    }
  }
}

// Of both directions.
Status scaled_shape(const Attributes& attributes, Inputs in, Outputs out) {
  const TensorView* zeros = operand(in, 2);
  if (zeros != nullptr && (zeros->rank > 1 || zeros->count() != in[1].count())) {
    return InvalidArgument("zero_point is ", view_str(*zeros), "; scale is ", view_str(in[1]));
  }
  ENM_RETURN_IF_ERROR(slices_of(in[0], in[1], attributes.integer("axis")).status());
  return like_first(attributes, in, out);
}

int32_t integer_at(const TensorView& view, int64_t i) {
  switch (view.dtype) {
    case DType::kInt8:
      return view.as<int8_t>()[i];
    case DType::kInt32:
      return view.as<int32_t>()[i];
    default:
      return view.as<uint8_t>()[i];
  }
}

int32_t zero_at(Inputs in, int64_t slice) {
  const TensorView* zeros = operand(in, 2);
  return zeros == nullptr ? 0 : integer_at(*zeros, slice);
}

class QuantizeLinear final : public PreparedOp {
 public:
  QuantizeLinear(const kernels::QuantizeLinearKernels& kernels, int64_t axis)
      : kernels_(kernels), axis_(axis) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const Slices slices, slices_of(in[0], in[1], axis_));
    const bool is_signed = out[0].dtype == DType::kInt8;
    for_each_slice(slices, [&](int64_t begin, int64_t end, int64_t slice) {
      const int32_t zero = zero_at(in, slice);
      uint8_t* y = out[0].as<uint8_t>();
      // Signed bytes are unsigned ones 128 lower.
      kernels_.quantize(in[0].as<float>() + begin, end - begin, in[1].as<float>()[slice],
                        is_signed ? zero + 128 : zero, y + begin);
      for (int64_t i = begin; i < end && is_signed; ++i) y[i] ^= 0x80;
    });
    return {};
  }

 private:
  const kernels::QuantizeLinearKernels& kernels_;
  const int64_t axis_;
};

class DequantizeLinear final : public PreparedOp {
 public:
  explicit DequantizeLinear(int64_t axis) : axis_(axis) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const Slices slices, slices_of(in[0], in[1], axis_));
    for_each_slice(slices, [&](int64_t begin, int64_t end, int64_t slice) {
      const int64_t zero = zero_at(in, slice);
      const float scale = in[1].as<float>()[slice];
      for (int64_t i = begin; i < end; ++i) {
        out[0].as<float>()[i] = static_cast<float>(integer_at(in[0], i) - zero) * scale;
      }
    });
    return {};
  }

 private:
  const int64_t axis_;
};

// That of the zero point, or else what the attribute says.
DType quantized_type(const Attributes& attributes, std::span<const DType> inputs) {
  if (inputs.size() > 2 && inputs[2] != DType::kUndefined) return inputs[2];
  switch (attributes.integer("output_dtype")) {
    case 0:
    case static_cast<int64_t>(DType::kUint8):
      return DType::kUint8;
    case static_cast<int64_t>(DType::kInt8):
      return DType::kInt8;
    default:
      return DType::kUndefined;
  }
}

Result<std::unique_ptr<PreparedOp>> prepare_dynamic(const PrepareContext& context) {
  return make_prepared<DynamicQuantizeLinear>(kernels::quantize_linear_kernels(context.isa));
}

Result<std::unique_ptr<PreparedOp>> prepare_quantize(const PrepareContext& context) {
  return make_prepared<QuantizeLinear>(kernels::quantize_linear_kernels(context.isa),
                                       context.attributes.integer("axis"));
}

Result<std::unique_ptr<PreparedOp>> prepare_dequantize(const PrepareContext& context) {
  return make_prepared<DequantizeLinear>(context.attributes.integer("axis"));
}

constexpr Operand kFloats[] = {Operand("x", kF32)};
constexpr Operand kDynamicOutputs[] = {Operand("y", DType::kUint8), Operand("y_scale", kF32),
                                       Operand("y_zero_point", DType::kUint8)};

constexpr Operand kQuantizeInputs[] = {Operand("x", kF32).as('T'), Operand("y_scale", kF32).as('T'),
                                       Operand("y_zero_point", kByteTypes).optional()};
constexpr Operand kQuantizeOutputs[] = {Operand("y", kByteTypes)};
constexpr AttributeSpec kQuantizeAttributes[] = {
    AttributeSpec::integer("axis", 1), AttributeSpec::integer("saturate", 1).only(),
    AttributeSpec::integer("block_size").only(), AttributeSpec::integer("output_dtype"),
    AttributeSpec::integer("precision").only()};

constexpr Types kQuantized = kByteTypes | Types(DType::kInt32);
constexpr Operand kDequantizeInputs[] = {Operand("x", kQuantized).as('T'),
                                         Operand("x_scale", kF32).as('S'),
                                         Operand("x_zero_point", kQuantized).as('T').optional()};
constexpr Operand kDequantizeOutputs[] = {Operand("y", kF32).as('S')};
constexpr AttributeSpec kDequantizeAttributes[] = {AttributeSpec::integer("axis", 1),
                                                   AttributeSpec::integer("block_size").only(),
                                                   AttributeSpec::integer("output_dtype").only()};

}  // namespace

constexpr Op kDynamicQuantizeLinear = {.name = "DynamicQuantizeLinear",
                                       .since = 11,
                                       .inputs = kFloats,
                                       .outputs = kDynamicOutputs,
                                       .shape = like_first,
                                       .traits = kWholeTensor,
                                       .cpu = prepare_dynamic};
constexpr Op kQuantizeLinear = {.name = "QuantizeLinear",
                                .since = 10,
                                .inputs = kQuantizeInputs,
                                .outputs = kQuantizeOutputs,
                                .attributes = kQuantizeAttributes,
                                .shape = scaled_shape,
                                .type = quantized_type,
                                .cpu = prepare_quantize};
constexpr Op kDequantizeLinear = {.name = "DequantizeLinear",
                                  .since = 10,
                                  .inputs = kDequantizeInputs,
                                  .outputs = kDequantizeOutputs,
                                  .attributes = kDequantizeAttributes,
                                  .shape = scaled_shape,
                                  .cpu = prepare_dequantize};

}  // namespace enm::ops
