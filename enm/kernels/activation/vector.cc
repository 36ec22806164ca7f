#include "enm/kernels/vector.h"
#include "enm/kernels/activation/variants.h"
#include "enm/kernels/variant.h"

namespace enm::kernels {
namespace {

template <Vec (*kFunction)(Vec)>
void map(const float* x, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, kFunction(load(x + i)));
  if (i < n) store_some(y + i, kFunction(load_some(x + i, n - i)), n - i);
}

Vec gelu(Vec x) { return 0.5f * x * (1.0f + erf(x * 0.70710678f)); }
Vec gelu_tanh(Vec x) { return 0.5f * x * (1.0f + tanh(0.79788456f * (x + 0.044715f * x * x * x))); }
Vec sigmoid(Vec x) { return 1.0f / (1.0f + exp(-x)); }

// Above 88, where the shared exp ends, the square of e^(x / 2): it goes on to infinity.
Vec exp_to_infinity(Vec x) {
  const Vec y = exp(x > 88.0f ? 0.5f * x : x);
  return x > 88.0f ? y * y : y;
}

}  // namespace

extern const ActivationKernels ENM_VARIANT_NAME(kActivation) = {
    map<gelu>, map<gelu_tanh>, map<sigmoid>, map<tanh>, map<erf>, map<exp_to_infinity>};

}  // namespace enm::kernels
