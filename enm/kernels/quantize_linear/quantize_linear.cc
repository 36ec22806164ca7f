#include "enm/kernels/quantize_linear/quantize_linear.h"

#include <cmath>

#include "enm/kernels/quantize_linear/variants.h"

namespace enm::kernels {

const QuantizeLinearKernels& quantize_linear_kernels(Isa isa) {
  static const KernelTable<QuantizeLinearKernels> table(kQuantizeLinearVariants);
  return table[isa];
}

QuantizeParameters choose_quantize_parameters(float low, float high) {
  const float scale = low == high ? 1.0f : (high - low) / 255.0f;
  const float zero = std::nearbyint(-low / scale);
  // Written so that NaN, from a scale of 0 or infinity, ends inside of the range.
  const float clamped = zero > 0 ? zero < 255 ? zero : 255.0f : 0.0f;
  return {scale, static_cast<int32_t>(clamped)};
}

}  // namespace enm::kernels
