// One row into blocks of 4 or 8 bits, rounded to nearest.
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

}  // namespace enm::quantize
