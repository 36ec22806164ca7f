// Blocks of 256 as ggml makes them: a grid for each 16 or 32 weights is fitted, the grids' numbers
// are put on a grid of their own, and the quants are made anew from what is left of them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "enm/base/half.h"
#include "enm/formats/gguf_fit.h"
#include "enm/formats/gguf_quantize.h"

namespace enm::formats {
namespace {

constexpr int kBlock = 256;
constexpr int kMostScale = 63;  // of 6 bits

void put_half(float value, uint8_t* out) {
  const uint16_t half = float_to_half(value);
  std::memcpy(out, &half, sizeof half);
}

float half_at(const uint8_t* bytes) {
  uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return half_to_float(half);
}

// 8 scales and 8 minima in 12 bytes, where k_scales() of gguf_types.cc reads them.
void put_six_bits(const uint8_t* scales, const uint8_t* minima, uint8_t* six) {
  for (int p = 0; p < 8; ++p) {
    const int scale = scales[p];
    const int minimum = minima[p];
    if (p < 4) {
      six[p] |= static_cast<uint8_t>(scale);
      six[p + 4] |= static_cast<uint8_t>(minimum);
    } else {
      six[p + 4] |= static_cast<uint8_t>((scale & 15) | minimum << 4);
      six[p - 4] |= static_cast<uint8_t>(scale >> 4 << 6);
      six[p] |= static_cast<uint8_t>(minimum >> 4 << 6);
    }
  }
}

// The numbers of 8 parts in 6 bits each, and their scale: the largest becomes 63.
float round_positive(const float* values, uint8_t* quants) {
  float largest = 0;
  for (int p = 0; p < 8; ++p) largest = std::max(largest, values[p]);
  const float inverse = largest > 0 ? static_cast<float>(kMostScale) / largest : 0.0f;
  for (int p = 0; p < 8; ++p) {
    quants[p] =
        std::min(uint8_t{kMostScale}, static_cast<uint8_t>(nearest_ggml(inverse * values[p])));
  }
  return largest / static_cast<float>(kMostScale);
}

float sum_of_squares(const float* x, int count) {
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += x[i] * x[i];
  return sum;
}

// What an error of weight i of a part counts.
void weigh(const float* x, const float* importance, float block_square, float* weights) {
  const float own = importance != nullptr ? 0 : std::sqrt(sum_of_squares(x, 32) / 32);
  for (int i = 0; i < 32; ++i) {
    weights[i] = importance != nullptr ? importance[i] * std::sqrt(block_square + x[i] * x[i])
                                       : own + std::fabs(x[i]);
  }
}

}  // namespace

void quantize_k_minimum(const GgmlTypeInfo& type, const float* x, const float* importance,
                        uint8_t* out) {
  const bool five = type.type == GgmlType::kQ5_K;
  const int most = five ? 31 : 15;
  const FitSearch plain = five ? FitSearch{-0.5f, 0.1f, 15} : FitSearch{-1.0f, 0.1f, 20};
  const float block_square = 2 * sum_of_squares(x, kBlock) / static_cast<float>(kBlock);
  uint8_t quants[kBlock];
  float scales[8];
  float minima[8];
  float totals[8] = {};  // of a part's weights
  for (int p = 0; p < 8; ++p) {
    float weights[32];
    weigh(x + 32 * p, importance != nullptr ? importance + 32 * p : nullptr, block_square, weights);
    for (const float weight : weights) totals[p] += weight;
    const MinimumFit fit =
        fit_with_minimum(most, {x + 32 * p, 32}, weights,
                         importance != nullptr ? FitSearch{} : plain, quants + 32 * p);
    scales[p] = fit.scale;
    minima[p] = fit.minimum;
  }
  uint8_t small_scales[8];
  uint8_t small_minima[8];
  const auto reduce = [&](const float* values, uint8_t* small) {
    return importance != nullptr ? fit_positive(kMostScale, {values, 8}, totals, small)
                                 : round_positive(values, small);
  };
  std::memset(out, 0, static_cast<size_t>(type.bytes));
  put_half(reduce(scales, small_scales), out);
  put_half(reduce(minima, small_minima), out + 2);
  put_six_bits(small_scales, small_minima, out + 4);
  type.scales(out, scales, minima);  // as readers will see them
  for (int i = 0; i < kBlock; ++i) {
    const int p = i / 32;
    if (scales[p] == 0) continue;
    quants[i] =
        static_cast<uint8_t>(std::clamp(nearest_ggml((x[i] + minima[p]) / scales[p]), 0, most));
  }
  uint8_t* nibbles = out + (five ? 48 : 16);
  for (int i = 0; i < kBlock; ++i) {
    nibbles[i / 64 * 32 + i % 32] |= static_cast<uint8_t>((quants[i] & 15) << (i % 64 / 32 * 4));
    if (five) out[16 + i % 32] |= static_cast<uint8_t>(quants[i] >> 4 << (i / 32));
  }
}

void quantize_q6_k(const float* x, const float* importance, uint8_t* out) {
  uint8_t* const parts = out + 192;
  std::memset(out, 0, 210);
  uint8_t quants[kBlock];
  float scales[16];
  float extreme = 0;
  for (int p = 0; p < 16; ++p) {
    scales[p] =
        fit_symmetric(32, {x + 16 * p, 16}, importance != nullptr ? importance + 16 * p : nullptr,
                      quants + 16 * p);
    if (std::fabs(scales[p]) > std::fabs(extreme)) extreme = scales[p];
  }
  if (std::fabs(extreme) < kGgmlNothing) return;
  const float inverse = -128.0f / extreme;
  put_half(1 / inverse, out + 208);
  for (int p = 0; p < 16; ++p) {
    parts[p] = static_cast<uint8_t>(std::min(127, nearest_ggml(inverse * scales[p])));
    const float scale = half_at(out + 208) * static_cast<float>(static_cast<int8_t>(parts[p]));
    if (scale == 0) continue;
    for (int i = 16 * p; i < 16 * p + 16; ++i) {
      quants[i] = static_cast<uint8_t>(std::clamp(nearest_ggml(x[i] / scale), -32, 31) + 32);
    }
  }
  for (int i = 0; i < kBlock; ++i) {
    out[i / 128 * 64 + i % 64] |= static_cast<uint8_t>((quants[i] & 15) << (i % 128 / 64 * 4));
    out[128 + i / 128 * 32 + i % 32] |= static_cast<uint8_t>(quants[i] >> 4 << (i % 128 / 32 * 2));
  }
}

}  // namespace enm::formats
