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

// A scale that f16 holds exactly; too small ones become the smallest, so that nothing divides by 0.
float as_half(float scale) {
  const float rounded = half_to_float(float_to_half(std::clamp(scale, -65504.0f, 65504.0f)));
  return rounded == 0 && scale != 0 ? std::copysign(0x1p-24f, scale) : rounded;
}

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
    return {as_half(extreme / static_cast<float>(-(levels / 2))), levels / 2};
  }
  const float scale = as_half((high - low) / static_cast<float>(levels - 1));
  if (scale == 0) return {0, levels / 2};
  const float zero = std::nearbyint(-low / scale);
  return {scale, static_cast<int>(std::clamp(zero, 0.0f, static_cast<float>(levels - 1)))};
}

void put(uint8_t* bytes, int bits, int64_t index, int value) {
  if (bits == 8) {
    bytes[index] = static_cast<uint8_t>(value);
  } else {
    bytes[index / 2] |= static_cast<uint8_t>(value << (index % 2 * 4));
  }
}

int get(const uint8_t* bytes, int bits, int64_t index) {
  return bits == 8 ? bytes[index] : bytes[index / 2] >> (index % 2 * 4) & 15;
}

}  // namespace

void choose_grids(const BlockFormat& format, int64_t columns, const float* row, float* scales,
                  uint8_t* zero_points) {
  if (zero_points != nullptr) {
    std::memset(zero_points, 0, static_cast<size_t>(format.row_zero_point_bytes(columns)));
  }
  for (int64_t b = 0; b < format.blocks_of(columns); ++b) {
    const int64_t begin = b * format.block;
    const Grid grid = choose_grid(format, row + begin, std::min(format.block, columns - begin));
    scales[b] = grid.scale;
    if (zero_points != nullptr) put(zero_points, format.bits, b, grid.zero);
  }
}

void round_row(const BlockFormat& format, int64_t columns, const float* row, const float* scales,
               const uint8_t* zero_points, uint8_t* quants) {
  std::memset(quants, 0, static_cast<size_t>(format.row_bytes(columns)));
  const int most = (1 << format.bits) - 1;
  for (int64_t b = 0; b < format.blocks_of(columns); ++b) {
    const float inverse = scales[b] != 0 ? 1.0f / scales[b] : 0.0f;
    const int zero = zero_points != nullptr ? get(zero_points, format.bits, b) : format.middle();
    for (int64_t i = b * format.block; i < (b + 1) * format.block; ++i) {
      const float value = i < columns ? row[i] : 0.0f;
      const int quant = static_cast<int>(std::nearbyint(value * inverse)) + zero;
      put(quants, format.bits, i, std::clamp(quant, 0, most));
    }
  }
}

}  // namespace enm::quantize
