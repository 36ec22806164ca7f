// Blocks of 32 as ggml makes them: the functions quantize_row_q*_ref, and quantize_row_q*_impl with
// importance.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "enm/base/half.h"
#include "enm/formats/gguf_fit.h"
#include "enm/formats/gguf_quantize.h"

namespace enm::formats {
namespace {

template <typename T>
uint8_t* put(T value, uint8_t* out) {
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}

// What a processor makes of a float that fits no integer (an infinite inverse of a scale) is 0 in
// its low byte.
int whole(float value) { return std::fabs(value) < 2147483648.0f ? static_cast<int>(value) : 0; }

// w = quant * scale + shift.
struct Grid {
  float scale = 0;
  float shift = 0;
};

// The weight of largest magnitude becomes -middle, whichever its sign.
Grid round_symmetric(int middle, const float* x, uint8_t* quants) {
  float extreme = 0;
  for (int i = 0; i < 32; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  const float scale = extreme / static_cast<float>(-middle);
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  for (int i = 0; i < 32; ++i) {
    const int quant = whole(x[i] * inverse + (static_cast<float>(middle) + 0.5f));
    quants[i] = static_cast<uint8_t>(std::min(2 * middle - 1, quant));
  }
  return {scale, 0};
}

Grid round_from_minimum(int most, const float* x, uint8_t* quants) {
  float least = x[0];
  float largest = x[0];
  for (int i = 1; i < 32; ++i) {
    least = std::min(least, x[i]);
    largest = std::max(largest, x[i]);
  }
  const float scale = (largest - least) / static_cast<float>(most);
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  for (int i = 0; i < 32; ++i) {
    quants[i] = static_cast<uint8_t>(std::min(most, whole((x[i] - least) * inverse + 0.5f)));
  }
  return {scale, least};
}

// Errors count by importance and by the weight's own size, the row's mean square added.
Grid fit(const GgmlTypeInfo& type, int middle, const float* x, const float* importance,
         float mean_square, uint8_t* quants) {
  float weights[32];
  for (int i = 0; i < 32; ++i) weights[i] = importance[i] * std::sqrt(mean_square + x[i] * x[i]);
  if (!type.has_minima) return {fit_symmetric(middle, {x, 32}, weights, quants), 0};
  const MinimumFit fit = fit_with_minimum(2 * middle - 1, {x, 32}, weights, {}, quants);
  return {fit.scale, -fit.minimum};
}

// Q4_0, Q4_1, Q5_0, Q5_1: f16 scale | f16 minimum, if any | 32 fifth bits, if any | nibbles
void quantize_small(const GgmlTypeInfo& type, const float* x, const float* importance,
                    float mean_square, uint8_t* out) {
  const bool five = type.type == GgmlType::kQ5_0 || type.type == GgmlType::kQ5_1;
  const int middle = five ? 16 : 8;
  uint8_t quants[32];
  const Grid grid = importance != nullptr ? fit(type, middle, x, importance, mean_square, quants)
                    : type.has_minima     ? round_from_minimum(2 * middle - 1, x, quants)
                                          : round_symmetric(middle, x, quants);
  out = put(float_to_half(grid.scale), out);
  if (type.has_minima) out = put(float_to_half(grid.shift), out);
  if (five) {
    uint32_t fifth = 0;
    for (uint32_t i = 0; i < 32; ++i) fifth |= uint32_t{quants[i]} >> 4 << i;
    out = put(fifth, out);
  }
  for (int i = 0; i < 16; ++i) {
    out[i] = static_cast<uint8_t>((quants[i] & 15) | quants[i + 16] << 4);
  }
}

void quantize_q8_0(const float* x, uint8_t* out) {
  float largest = 0;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  const float scale = largest / 127;
  const float inverse = scale != 0 ? 1.0f / scale : 0.0f;
  out = put(float_to_half(scale), out);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<uint8_t>(whole(std::round(x[i] * inverse)));
}

float mean_square_of(const float* row, int64_t columns) {
  float sum = 0;
  for (int64_t i = 0; i < columns; ++i) sum += row[i] * row[i];
  return sum / static_cast<float>(columns);
}

}  // namespace

void quantize_ggml_row(const GgmlTypeInfo& type, const float* row, int64_t columns,
                       const float* importance, uint8_t* out) {
  const float mean_square = importance != nullptr ? mean_square_of(row, columns) : 0;
  for (int64_t i = 0; i < columns; i += type.block, out += type.bytes) {
    const float* weights = importance != nullptr ? importance + i : nullptr;
    switch (type.type) {
      case GgmlType::kF32:
        put(row[i], out);
        break;
      case GgmlType::kF16:
        put(float_to_half(row[i]), out);
        break;
      case GgmlType::kBF16:
        put(float_to_bfloat16(row[i]), out);
        break;
      case GgmlType::kQ8_0:
        quantize_q8_0(row + i, out);
        break;
      case GgmlType::kQ4_K:
      case GgmlType::kQ5_K:
        quantize_k_minimum(type, row + i, weights, out);
        break;
      case GgmlType::kQ6_K:
        quantize_q6_k(row + i, weights, out);
        break;
      default:
        quantize_small(type, row + i, weights, mean_square, out);
    }
  }
}

}  // namespace enm::formats
