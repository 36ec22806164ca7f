#include <algorithm>
#include <limits>

#include "enm/kernels/attention/variants.h"
#include "enm/kernels/variant.h"
#include "enm/kernels/vector.h"

namespace enm::kernels {
namespace {

float dot(const float* a, const float* b, int64_t n) {
  Vec total = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) total += load(a + i) * load(b + i);
  if (i < n) total += load_some(a + i, n - i) * load_some(b + i, n - i);
  return sum(total);
}

// scores = exp(scores - largest); returns their sum.
float exponentiate(float* scores, int64_t length, float largest) {
  Vec total = {};
  int64_t t = 0;
  for (; t + kLanes <= length; t += kLanes) {
    const Vec e = exp(load(scores + t) - largest);
    store(scores + t, e);
    total += e;
  }
  float rest = 0;
  if (t < length) {
    const Vec e = exp(load_some(scores + t, length - t) - largest);
    store_some(scores + t, e, length - t);
    for (; t < length; ++t) rest += scores[t];
  }
  return sum(total) + rest;
}

void attend(const AttentionRow& row) {
  constexpr float kNothing = -std::numeric_limits<float>::infinity();
  float largest = kNothing;
  for (int64_t t = 0; t < row.length; ++t) {
    const bool kept = row.keep == nullptr || row.keep[t] != 0;
    row.scores[t] =
        kept ? dot(row.q, row.k + t * row.k_stride, row.head_dim) * row.scale : kNothing;
    largest = std::max(largest, row.scores[t]);
  }
  std::fill(row.y, row.y + row.head_dim, 0.0f);
  if (largest == kNothing) return;
  const float inverse = 1.0f / exponentiate(row.scores, row.length, largest);
  int64_t i = 0;
  for (; i < row.head_dim; i += kLanes) {
    const int64_t count = std::min(kLanes, row.head_dim - i);
    Vec y = {};
    if (count == kLanes) {
      for (int64_t t = 0; t < row.length; ++t)
        y += row.scores[t] * load(row.v + t * row.v_stride + i);
    } else {
      for (int64_t t = 0; t < row.length; ++t) {
        y += row.scores[t] * load_some(row.v + t * row.v_stride + i, count);
      }
    }
    store_some(row.y + i, y * inverse, count);
  }
}

}  // namespace

extern const AttentionKernels ENM_VARIANT_NAME(kAttention) = {attend};

}  // namespace enm::kernels
