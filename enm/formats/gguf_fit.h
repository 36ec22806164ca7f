// How ggml fits a few weights to a grid: scales are tried around the one that just holds the
// largest, each followed by the least squares of the quants it gives. Every sum is made in ggml's
// order, so that blocks are the same to the byte.
// Source: ggml, ggml-quants.c, the functions make_qx_quants, make_qkx3_quants, make_qp_quants.
#pragma once

#include <cstdint>
#include <span>

namespace enm::formats {

inline constexpr float kGgmlNothing = 1e-15f;  // below it all weights of a part are 0

/// The integer nearest to a value of less than 2^22, ties to even; beyond, what ggml makes of it.
int nearest_ggml(float value);

/// w = (quant - middle) * scale, with quants below 2 * middle. Errors count as much as
/// `importance` says, or x^2 where it is null. Returns the scale.
float fit_symmetric(int middle, std::span<const float> x, const float* importance, uint8_t* quants);

/// w = quant * scale - minimum.
struct MinimumFit {
  float scale = 0;
  float minimum = 0;  // not negative
};

/// The scales that are tried hold most + first + step * i quants between the extremes, i =
/// 0..count.
struct FitSearch {
  float first = -0.9f;
  float step = 0.05f;
  int count = 36;
};

/// Quants up to `most`.
MinimumFit fit_with_minimum(int most, std::span<const float> x, const float* importance,
                            const FitSearch& search, uint8_t* quants);

/// w = quant * scale for weights that are not negative, quants up to `most`. Returns the scale.
float fit_positive(int most, std::span<const float> x, const float* importance, uint8_t* quants);

}  // namespace enm::formats
