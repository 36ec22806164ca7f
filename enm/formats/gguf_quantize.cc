#include <algorithm>
#include <cmath>
#include <cstring>

#include "enm/base/half.h"
#include "enm/formats/gguf_types.h"

namespace enm::formats {
namespace {

template <typename T>
uint8_t* put(T value, uint8_t* out) {
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}

// The value of largest magnitude becomes -8, whichever its sign.
void quantize_q4_0(const float* x, uint8_t* out) {
  float extreme = 0;
  for (int i = 0; i < 32; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  const float scale = extreme / -8;
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  out = put(float_to_half(scale), out);
  const auto quant = [&](float value) {
    return std::min(15, static_cast<int>(static_cast<int8_t>(value * inverse + 8.5f)));
  };
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<uint8_t>(quant(x[i]) | quant(x[i + 16]) << 4);
  }
}

void quantize_q8_0(const float* x, uint8_t* out) {
  float largest = 0;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  const float scale = largest / 127;
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  out = put(float_to_half(scale), out);
  for (int i = 0; i < 32; ++i) {
    out[i] = static_cast<uint8_t>(static_cast<int8_t>(std::round(x[i] * inverse)));
  }
}

}  // namespace

bool can_quantize_ggml(GgmlType type) {
  return type == GgmlType::kF32 || type == GgmlType::kF16 || type == GgmlType::kBF16 ||
         type == GgmlType::kQ4_0 || type == GgmlType::kQ8_0;
}

void quantize_ggml(const GgmlTypeInfo& type, const float* values, int64_t count, uint8_t* out) {
  for (int64_t i = 0; i < count; i += type.block, out += type.bytes) {
    switch (type.type) {
      case GgmlType::kF16:
        put(float_to_half(values[i]), out);
        break;
      case GgmlType::kBF16:
        put(float_to_bfloat16(values[i]), out);
        break;
      case GgmlType::kQ4_0:
        quantize_q4_0(values + i, out);
        break;
      case GgmlType::kQ8_0:
        quantize_q8_0(values + i, out);
        break;
      default:
        put(values[i], out);
    }
  }
}

}  // namespace enm::formats
