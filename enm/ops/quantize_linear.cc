// DynamicQuantizeLinear, QuantizeLinear and DequantizeLinear: floats to 8-bit integers and back,
// with one scale for the tensor or one for each slice of an axis.
#include "enm/kernels/quantize_linear/quantize_linear.h"

#include <algorithm>
#include <cmath>

#include "enm/ops/quantize_support.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {

using graph::DType;

size_t dynamic_range_scratch(int64_t count) {
  const int64_t parts = (count + kRangePart - 1) / kRangePart;
  return static_cast<size_t>(std::max<int64_t>(parts, 1)) * 2 * sizeof(float);
}

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

  Status infer(Inputs in, Outputs out) const override {
    ENM_RETURN_IF_ERROR(expect_dtype(in[0], DType::kFloat32, "x"));
    if (out.size() != 3) return InvalidArgument(out.size(), " outputs; expected 3");
    out[0] = in[0];
    out[0].dtype = DType::kUint8;
    out[1] = out[2] = TensorView();
    out[1].dtype = DType::kFloat32;
    out[2].dtype = DType::kUint8;
    return {};
  }

  size_t scratch_bytes(Inputs in, const ThreadPool&) const override {
    return dynamic_range_scratch(in[0].count());
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
  Slices out;
  if (scale.count() == 1 && scale.rank <= 1) {
    out.inner = x.count();
    return out;
  }
  ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_given, x.rank));
  if (scale.rank != 1 || scale.count() != x.dim(axis)) {
    return Unsupported("scale is ", view_str(scale), " for ", view_str(x), " along axis ", axis,
                       "; expected one, or one for each slice");
  }
  for (int i = 0; i < axis; ++i) out.outer *= x.dim(i);
  out.slices = x.dim(axis);
  for (int i = axis + 1; i < x.rank; ++i) out.inner *= x.dim(i);
  return out;
}

// Calls body(begin, end, slice) for every run of elements that share a scale.
template <typename Body>
void for_each_slice(const Slices& slices, Body body) {
  int64_t at = 0;
  for (int64_t outer = 0; outer < slices.outer; ++outer) {
    for (int64_t slice = 0; slice < slices.slices; ++slice, at += slices.inner) {
      body(at, at + slices.inner, slice);
    }
  }
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

Status expect_byte_zeros(Inputs in, DType type) {
  if (in.size() < 3 || !in[2].given()) return {};
  ENM_RETURN_IF_ERROR(expect_dtype(in[2], type, "zero_point"));
  if (in[2].count() == in[1].count()) return {};
  return InvalidArgument("zero_point is ", view_str(in[2]), "; scale is ", view_str(in[1]));
}

class QuantizeLinear final : public PreparedOp {
 public:
  QuantizeLinear(const kernels::QuantizeLinearKernels& kernels, int64_t axis, DType type)
      : kernels_(kernels), axis_(axis), type_(type) {}

  Status infer(Inputs in, Outputs out) const override {
    ENM_RETURN_IF_ERROR(expect_dtype(in[0], DType::kFloat32, "x"));
    ENM_RETURN_IF_ERROR(expect_dtype(in[1], DType::kFloat32, "y_scale"));
    const DType type = in.size() > 2 && in[2].given() ? in[2].dtype : type_;
    if (type != DType::kUint8 && type != DType::kInt8) {
      return Unsupported("results of type ", graph::dtype_name(type), "; expected u8 or i8");
    }
    ENM_RETURN_IF_ERROR(expect_byte_zeros(in, type));
    out[0] = in[0];
    out[0].dtype = type;
    return slices_of(in[0], in[1], axis_).status();
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const Slices slices, slices_of(in[0], in[1], axis_));
    const bool is_signed = out[0].dtype == DType::kInt8;
    for_each_slice(slices, [&](int64_t begin, int64_t end, int64_t slice) {
      const int32_t zero = in.size() > 2 && in[2].given() ? integer_at(in[2], slice) : 0;
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
  const DType type_;
};

class DequantizeLinear final : public PreparedOp {
 public:
  explicit DequantizeLinear(int64_t axis) : axis_(axis) {}

  Status infer(Inputs in, Outputs out) const override {
    const DType type = in[0].dtype;
    if (type != DType::kUint8 && type != DType::kInt8 && type != DType::kInt32) {
      return Unsupported("x is ", view_str(in[0]), "; expected u8, i8 or i32");
    }
    ENM_RETURN_IF_ERROR(expect_dtype(in[1], DType::kFloat32, "x_scale"));
    ENM_RETURN_IF_ERROR(expect_byte_zeros(in, type));
    out[0] = in[0];
    out[0].dtype = DType::kFloat32;
    return slices_of(in[0], in[1], axis_).status();
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const Slices slices, slices_of(in[0], in[1], axis_));
    for_each_slice(slices, [&](int64_t begin, int64_t end, int64_t slice) {
      const int64_t zero = in.size() > 2 && in[2].given() ? integer_at(in[2], slice) : 0;
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

Result<std::unique_ptr<PreparedOp>> prepare_dynamic(const PrepareContext& context) {
  return make_prepared<DynamicQuantizeLinear>(kernels::quantize_linear_kernels(context.isa));
}

Status refuse_blocks(const graph::Node& node) {
  const int64_t block = node.int_or("block_size", 0);
  return block == 0 ? Status() : Unsupported("block_size is ", block, "; expected none");
}

Result<std::unique_ptr<PreparedOp>> prepare_quantize(const PrepareContext& context) {
  ENM_RETURN_IF_ERROR(refuse_blocks(context.node));
  const int64_t type = context.node.int_or("output_dtype", 0);
  return make_prepared<QuantizeLinear>(kernels::quantize_linear_kernels(context.isa),
                                       context.node.int_or("axis", 1),
                                       type == 0 ? DType::kUint8 : static_cast<DType>(type));
}

Result<std::unique_ptr<PreparedOp>> prepare_dequantize(const PrepareContext& context) {
  ENM_RETURN_IF_ERROR(refuse_blocks(context.node));
  return make_prepared<DequantizeLinear>(context.node.int_or("axis", 1));
}

}  // namespace

const Op kDynamicQuantizeLinear = {"DynamicQuantizeLinear", "", 1, 1, 3, prepare_dynamic};
const Op kQuantizeLinear = {"QuantizeLinear", "", 2, 3, 1, prepare_quantize};
const Op kDequantizeLinear = {"DequantizeLinear", "", 2, 3, 1, prepare_dequantize};

}  // namespace enm::ops
