// Cast between element types. Floats to integers truncate; halves round to nearest, ties to even.
#include <cmath>

#include "enm/base/half.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

// Element i of any supported type, as the widest type of its kind.
double read_float(const TensorView& view, int64_t i) {
  switch (view.dtype) {
    case DType::kFloat32:
      return view.as<float>()[i];
    case DType::kFloat64:
      return view.as<double>()[i];
    case DType::kFloat16:
      return half_to_float(view.as<uint16_t>()[i]);
    default:
      return bfloat16_to_float(view.as<uint16_t>()[i]);
  }
}

int64_t read_integer(const TensorView& view, int64_t i) {
  switch (view.dtype) {
    case DType::kInt64:
      return view.as<int64_t>()[i];
    case DType::kInt32:
      return view.as<int32_t>()[i];
    case DType::kInt8:
      return view.as<int8_t>()[i];
    case DType::kBool:
      return view.as<uint8_t>()[i] != 0;
    default:
      return view.as<uint8_t>()[i];
  }
}

// Float types hold every i32 and the small i64 that occur here; a double is wide enough to pass
// all.
void write(const TensorView& view, int64_t i, double value, int64_t integer) {
  switch (view.dtype) {
    case DType::kFloat32:
      view.as<float>()[i] = static_cast<float>(value);
      break;
    case DType::kFloat64:
      view.as<double>()[i] = value;
      break;
    case DType::kFloat16:
      view.as<uint16_t>()[i] = float_to_half(static_cast<float>(value));
      break;
    case DType::kBfloat16:
      view.as<uint16_t>()[i] = float_to_bfloat16(static_cast<float>(value));
      break;
    case DType::kInt64:
      view.as<int64_t>()[i] = integer;
      break;
    case DType::kInt32:
      view.as<int32_t>()[i] = static_cast<int32_t>(integer);
      break;
    case DType::kInt8:
      view.as<int8_t>()[i] = static_cast<int8_t>(integer);
      break;
    case DType::kBool:
      view.as<uint8_t>()[i] = value != 0 ? 1 : 0;
      break;
    default:
      view.as<uint8_t>()[i] = static_cast<uint8_t>(integer);
      break;
  }
}

// The pairs that models run on every token, without the detour through doubles.
bool fast_cast(const TensorView& x, const TensorView& y, int64_t begin, int64_t end) {
  if (y.dtype != DType::kFloat32) return false;
  float* out = y.as<float>();
  switch (x.dtype) {
    case DType::kFloat16:
      for (int64_t i = begin; i < end; ++i) out[i] = half_to_float(x.as<uint16_t>()[i]);
      return true;
    case DType::kBfloat16:
      for (int64_t i = begin; i < end; ++i) out[i] = bfloat16_to_float(x.as<uint16_t>()[i]);
      return true;
    case DType::kInt8:
      for (int64_t i = begin; i < end; ++i) out[i] = x.as<int8_t>()[i];
      return true;
    case DType::kInt32:
      for (int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(x.as<int32_t>()[i]);
      return true;
    default:
      return false;
  }
}

constexpr Types kCastable =
    kF32 | Types{DType::kFloat64, DType::kFloat16, DType::kBfloat16, DType::kInt64,
                 DType::kInt32,   DType::kInt8,    DType::kUint8,    DType::kBool};

class Cast final : public PreparedOp {
 public:
  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const TensorView& x = in[0];
    const TensorView& y = out[0];
    context.pool->parallel_for(x.count(), 16384, [&](int64_t begin, int64_t end, int) {
      if (fast_cast(x, y, begin, end)) return;
      for (int64_t i = begin; i < end; ++i) {
        if (graph::is_float(x.dtype)) {
          const double value = read_float(x, i);
          write(y, i, value, truncate(value));
        } else {
          const int64_t value = read_integer(x, i);
          write(y, i, static_cast<double>(value), value);
        }
      }
    });
    return {};
  }
};

DType cast_type(const Attributes& attributes, std::span<const DType>) {
  const int64_t to = attributes.integer("to");
  return to > 0 && to < 32 ? static_cast<DType>(to) : DType::kUndefined;
}

Result<std::unique_ptr<PreparedOp>> prepare_cast(const PrepareContext&) {
  return make_prepared<Cast>();
}

constexpr Operand kInput[] = {Operand("input", kCastable)};
constexpr Operand kOutput[] = {Operand("output", kCastable)};
constexpr AttributeSpec kAttributes[] = {
    AttributeSpec::integer("to").required(),
    AttributeSpec::integer("saturate", 1),  // of types with 8 bits, which are not among ours
    AttributeSpec::string("round_mode", "up")};

}  // namespace

constexpr Op kCast = {.name = "Cast",
                      .since = 6,
                      .inputs = kInput,
                      .outputs = kOutput,
                      .attributes = kAttributes,
                      .shape = like_first,
                      .type = cast_type,
                      .traits = kElementwise | kRowWise,
                      .cpu = prepare_cast};

}  // namespace enm::ops
