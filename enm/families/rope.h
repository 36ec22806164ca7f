// Rotary positions as numbers: frequencies of each kind, tables of cosines and sines.
#pragma once

#include <vector>

#include "enm/families/decoder_config.h"

namespace enm::families {

/// Pairs of a head that turn.
int64_t rotary_pairs(const Rope& rope, int64_t head_dim);

/// kCorrupt if the numbers of `rope` are out of range for heads of head_dim.
Status check_rope(const Rope& rope, int64_t head_dim);

/// Radians a position, a pair; `is_long` chooses among the factors of kLongRope.
std::vector<float> rotary_frequencies(const Rope& rope, int64_t head_dim, bool is_long);

/// What cos and sin are multiplied by.
float rotary_scale(const Rope& rope);

struct RotaryTables {
  std::vector<float> cos, sin;  // [rows, pairs]
};

/// Appends the rows of positions 0 .. rows - 1, as transformers computes them: frequencies in
/// float, their products with positions in float.
void append_rotary_rows(const std::vector<float>& frequencies, float scale, int64_t rows,
                        RotaryTables& out);

}  // namespace enm::families
