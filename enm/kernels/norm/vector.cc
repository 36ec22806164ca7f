// Three passes over a row that stays in the nearest cache: add and sum up, sum the squares around
// the mean (not E[x^2] - mean^2, which cancels), scale.
#include <algorithm>
#include <cmath>

#include "enm/kernels/norm/variants.h"
#include "enm/kernels/variant.h"
#include "enm/kernels/vector.h"

namespace enm::kernels {
namespace {

template <typename Body>
void for_lanes(int64_t width, Body body) {
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) body(i, kLanes);
  if (i < width) body(i, width - i);
}

template <bool kCenter>
void normalize(const NormArgs& row) {
  float* sums = row.sum != nullptr ? row.sum : row.y;
  Vec total = {};
  for_lanes(row.width, [&](int64_t i, int64_t count) {
    Vec s = load_some(row.x + i, count);
    if (row.skip != nullptr) s += load_some(row.skip + i, count);
    if (row.bias != nullptr) s += load_some(row.bias + i, count);
    store_some(sums + i, s, count);
    total += s;
  });
  const float mean = kCenter ? sum(total) / static_cast<float>(row.width) : 0.0f;
  Vec squares = {};
  for_lanes(row.width, [&](int64_t i, int64_t count) {
    const Vec d = load_some(sums + i, count) - mean;
    if (count == kLanes) {
      squares += d * d;
    } else {
      Vec kept = {};
      std::memcpy(&kept, &d, static_cast<size_t>(count) * sizeof(float));
      squares += kept * kept;
    }
  });
  const float variance = sum(squares) / static_cast<float>(row.width);
  const float inverse = 1.0f / std::sqrt(variance + row.epsilon);
  for_lanes(row.width, [&](int64_t i, int64_t count) {
    Vec y = (load_some(sums + i, count) - mean) * inverse * load_some(row.gamma + i, count);
    if (row.beta != nullptr) y += load_some(row.beta + i, count);
    store_some(row.y + i, y, count);
  });
}

}  // namespace

extern const NormKernels ENM_VARIANT_NAME(kNorm) = {normalize<true>, normalize<false>};

}  // namespace enm::kernels
