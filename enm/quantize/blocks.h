// One row into blocks of 2, 4 or 8 bits and back.
#pragma once

#include "enm/kernels/matmul_nbits/block_format.h"

namespace enm::quantize {

using kernels::BlockFormat;

/// The grids of a row ([columns] floats) in the layout that the format describes: `scales`
/// [blocks], `zero_points` [row_zero_point_bytes(columns)], or null where the format has none.
void choose_grids(const BlockFormat& format, int64_t columns, const float* row, float* scales,
                  uint8_t* zero_points);

/// `quants` [row_bytes(columns)] of the row on these grids. Padding quantizes as zeros.
void round_row(const BlockFormat& format, int64_t columns, const float* row, const float* scales,
               const uint8_t* zero_points, uint8_t* quants);

/// The floats [columns] that the row's quants stand for.
void dequantize_row(const BlockFormat& format, int64_t columns, const uint8_t* quants,
                    const float* scales, const uint8_t* zero_points, float* row);

/// The scale that f16 holds exactly, and that is 0 only if the scale is.
float as_half_scale(float scale);

/// Element `index` of packed integers of `bits` bits, the first in the low ones. put_bits() wants
/// zeros there.
int get_bits(const uint8_t* bytes, int bits, int64_t index);
void put_bits(uint8_t* bytes, int bits, int64_t index, int value);

}  // namespace enm::quantize
