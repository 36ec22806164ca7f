// One row into blocks of 4 or 8 bits, rounded to nearest.
#pragma once

#include "enm/kernels/matmul_nbits/block_format.h"

namespace enm::quantize {

using kernels::BlockFormat;

/// Quantizes `row` ([columns] floats) in the layout that the format describes: `quants`
/// [row_bytes(columns)], `scales` [blocks], `zero_points` [row_zero_point_bytes(columns)] (all the
/// middle where the format has none). Any of the outputs may be null. Padding quantizes as zeros.
void quantize_row(const BlockFormat& format, int64_t columns, const float* row, uint8_t* quants,
                  float* scales, uint8_t* zero_points);

}  // namespace enm::quantize
