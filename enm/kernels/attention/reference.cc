#include <algorithm>
#include <cmath>
#include <limits>

#include "enm/kernels/attention/variants.h"

namespace enm::kernels {
namespace {

void attend(const AttentionRow& row) {
  float largest = -std::numeric_limits<float>::infinity();
  for (int64_t t = 0; t < row.length; ++t) {
    float dot = 0;
    for (int64_t i = 0; i < row.head_dim; ++i) dot += row.q[i] * row.k[t * row.k_stride + i];
    const bool kept = row.keep == nullptr || row.keep[t] != 0;
    row.scores[t] = kept ? dot * row.scale : -std::numeric_limits<float>::infinity();
    largest = std::max(largest, row.scores[t]);
  }
  std::fill(row.y, row.y + row.head_dim, 0.0f);
  if (largest == -std::numeric_limits<float>::infinity()) return;
  float total = 0;
  for (int64_t t = 0; t < row.length; ++t)
    total += row.scores[t] = std::exp(row.scores[t] - largest);
  for (int64_t t = 0; t < row.length; ++t) {
    const float weight = row.scores[t] / total;
    for (int64_t i = 0; i < row.head_dim; ++i) row.y[i] += weight * row.v[t * row.v_stride + i];
  }
}

}  // namespace

const AttentionKernels kAttentionScalar = {attend};

}  // namespace enm::kernels
