// One row into blocks of 4 or 8 bits.
#pragma once

#include <cstdint>

namespace enm::quantize {

struct BlockFormat {
  int64_t columns = 0;
  int64_t block = 32;
  int bits = 4;
  bool symmetric = true;

  int64_t blocks() const { return (columns + block - 1) / block; }
  int64_t row_bytes() const { return blocks() * block * bits / 8; }
  int64_t zero_point_bytes() const { return (blocks() * bits + 7) / 8; }
};

/// Quantizes `row` ([columns] floats) in the layout of MatMulNBits: `quants` [row_bytes] (two 4-bit
/// values a byte, the first in the low half), `scales` [blocks], `zero_points` [zero_point_bytes]
/// or null when symmetric. Any of the outputs may be null. Padding quantizes as zeros.
void quantize_row(const BlockFormat& format, const float* row, uint8_t* quants, float* scales,
                  uint8_t* zero_points);

}  // namespace enm::quantize
