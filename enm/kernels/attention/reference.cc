#include <algorithm>
#include <cmath>
#include <limits>

#include "enm/kernels/attention/variants.h"

namespace enm::kernels {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

float score(const AttentionTile& tile, int64_t row, int64_t t) {
  if (tile.keep != nullptr && tile.keep[t] == 0) return kNothing;
  float dot = 0;
  for (int64_t i = 0; i < tile.head_dim; ++i) {
    dot += tile.q[row * tile.q_stride + i] * tile.k[t * tile.k_stride + i];
  }
  const double scaled = dot * tile.scale;
  const double cap = tile.softcap;
  const double capped = cap != 0 ? cap * std::tanh(scaled / cap) : scaled;
  const float bias = tile.bias != nullptr ? tile.bias[row * tile.bias_stride + t] : 0;
  return static_cast<float>(capped + bias);
}

void attend_row(const AttentionTile& tile, int64_t row) {
  float* y = tile.y + row * tile.y_stride;
  std::fill(y, y + tile.head_dim, 0.0f);
  const float sink = tile.sinks != nullptr ? tile.sinks[row * tile.sink_step] : kNothing;
  float largest = sink;
  for (int64_t t = tile.begin(row); t < tile.end(row); ++t) {
    largest = std::max(largest, score(tile, row, t));
  }
  if (largest == kNothing) return;
  float total = std::exp(sink - largest);
  for (int64_t t = tile.begin(row); t < tile.end(row); ++t) {
    const float weight = std::exp(score(tile, row, t) - largest);
    total += weight;
    for (int64_t i = 0; i < tile.head_dim; ++i) y[i] += weight * tile.v[t * tile.v_stride + i];
  }
  for (int64_t i = 0; i < tile.head_dim; ++i) y[i] /= total;
}

}  // namespace

const AttentionKernels kAttentionScalar = {[](const AttentionTile& tile) {
  for (int64_t row = 0; row < tile.rows; ++row) attend_row(tile, row);
}};

}  // namespace enm::kernels
