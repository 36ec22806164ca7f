#include "enm/quantize/blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "enm/base/half.h"

namespace enm::quantize {
namespace {

struct Grid {
  float scale;
  int zero;
};

Grid choose_grid(const BlockFormat& format, const float* values, int64_t count) {
  const int levels = 1 << format.bits;
  float low = 0;
  float high = 0;
  for (int64_t i = 0; i < count; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  if (!format.has_zero_points()) {
    // The extreme of larger magnitude lands on -levels / 2 exactly, whichever its sign.
    const float extreme = -low > high ? low : high;
    return {as_half_scale(extreme / static_cast<float>(-(levels / 2))), levels / 2};
  }
  const float scale = as_half_scale((high - low) / static_cast<float>(levels - 1));
  if (scale == 0) return {0, levels / 2};
  const float zero = std::nearbyint(-low / scale);
  return {scale, static_cast<int>(std::clamp(zero, 0.0f, static_cast<float>(levels - 1)))};
}

}  // namespace

float as_half_scale(float scale) {
  const float rounded = half_to_float(float_to_half(std::clamp(scale, -65504.0f, 65504.0f)));
  return rounded == 0 && scale != 0 ? std::copysign(0x1p-24f, scale) : rounded;
}

int get_bits(const uint8_t* bytes, int bits, int64_t index) {
  const int64_t at = index * bits;
  return bytes[at / 8] >> (at % 8) & ((1 << bits) - 1);
}

void put_bits(uint8_t* bytes, int bits, int64_t index, int value) {
  const int64_t at = index * bits;
  bytes[at / 8] |= static_cast<uint8_t>(value << (at % 8));
}

void choose_grids(const BlockFormat& format, int64_t columns, const float* row, float* scales,
                  uint8_t* zero_points) {
  if (zero_points != nullptr) {
    std::memset(zero_points, 0, static_cast<size_t>(format.row_zero_point_bytes(columns)));
  }
  for (int64_t b = 0; b < format.blocks_of(columns); ++b) {
    const int64_t begin = b * format.block;
    const Grid grid = choose_grid(format, row + begin, std::min(format.block, columns - begin));
    scales[b] = grid.scale;
    if (zero_points != nullptr) put_bits(zero_points, format.bits, b, grid.zero);
  }
}

void round_row(const BlockFormat& format, int64_t columns, const float* row, const float* scales,
               const uint8_t* zero_points, uint8_t* quants) {
  std::memset(quants, 0, static_cast<size_t>(format.row_bytes(columns)));
  const int most = (1 << format.bits) - 1;
  for (int64_t b = 0; b < format.blocks_of(columns); ++b) {
    const float inverse = scales[b] != 0 ? 1.0f / scales[b] : 0.0f;
    const int zero =
        zero_points != nullptr ? get_bits(zero_points, format.bits, b) : format.middle();
    for (int64_t i = b * format.block; i < (b + 1) * format.block; ++i) {
      const float value = i < columns ? row[i] : 0.0f;
      const int quant = static_cast<int>(std::nearbyint(value * inverse)) + zero;
      put_bits(quants, format.bits, i, std::clamp(quant, 0, most));
    }
  }
}

void dequantize_row(const BlockFormat& format, int64_t columns, const uint8_t* quants,
                    const float* scales, const uint8_t* zero_points, float* row) {
  for (int64_t i = 0; i < columns; ++i) {
    const int64_t b = i / format.block;
    const int zero =
        zero_points != nullptr ? get_bits(zero_points, format.bits, b) : format.middle();
    row[i] = static_cast<float>(get_bits(quants, format.bits, i) - zero) * scales[b];
  }
}

}  // namespace enm::quantize
