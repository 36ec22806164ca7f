#include <cmath>

#include "enm/kernels/norm/variants.h"

namespace enm::kernels {
namespace {

float added(const NormArgs& row, int64_t i) {
  return row.x[i] + (row.skip != nullptr ? row.skip[i] : 0.0f) +
         (row.bias != nullptr ? row.bias[i] : 0.0f);
}

void normalize(const NormArgs& row, bool center) {
  double mean = 0;
  for (int64_t i = 0; i < row.width && center; ++i) mean += added(row, i);
  mean /= static_cast<double>(row.width);
  double variance = 0;
  for (int64_t i = 0; i < row.width; ++i) {
    variance += (added(row, i) - mean) * (added(row, i) - mean);
  }
  variance /= static_cast<double>(row.width);
  const double inverse = 1.0 / std::sqrt(variance + static_cast<double>(row.epsilon));
  for (int64_t i = 0; i < row.width; ++i) {
    const float s = added(row, i);
    if (row.sum != nullptr) row.sum[i] = s;
    row.y[i] = static_cast<float>((s - mean) * inverse) * row.gamma[i] +
               (row.beta != nullptr ? row.beta[i] : 0.0f);
  }
}

}  // namespace

const NormKernels kNormScalar = {[](const NormArgs& row) { normalize(row, true); },
                                 [](const NormArgs& row) { normalize(row, false); }};

}  // namespace enm::kernels
