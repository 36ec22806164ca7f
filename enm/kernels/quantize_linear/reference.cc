#include <cmath>

#include "enm/kernels/quantize_linear/variants.h"

namespace enm::kernels {
namespace {

void range(const float* x, int64_t n, float* low, float* high) {
  for (int64_t i = 0; i < n; ++i) {
    if (x[i] < *low) *low = x[i];
    if (x[i] > *high) *high = x[i];
  }
}

void quantize(const float* x, int64_t n, float scale, int32_t zero, uint8_t* y) {
  const auto least = static_cast<float>(-zero);
  const auto most = static_cast<float>(255 - zero);
  for (int64_t i = 0; i < n; ++i) {
    const float quant = x[i] / scale;
    const float below = quant < most ? quant : most;
    const float within = below > least ? below : least;
    y[i] = static_cast<uint8_t>(static_cast<int32_t>(std::nearbyint(within)) + zero);
  }
}

}  // namespace

const QuantizeLinearKernels kQuantizeLinearScalar = {range, quantize};

}  // namespace enm::kernels
