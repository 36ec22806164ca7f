#include <cmath>

#include "enm/kernels/activation/variants.h"

namespace enm::kernels {
namespace {

template <double (*kFunction)(double)>
void map(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(kFunction(x[i]));
}

double gelu(double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }
double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double tanh_of(double x) { return std::tanh(x); }
double erf_of(double x) { return std::erf(x); }
double exp_of(double x) { return std::exp(x); }

}  // namespace

const ActivationKernels kActivationScalar = {map<gelu>,    map<gelu_tanh>, map<sigmoid>,
                                             map<tanh_of>, map<erf_of>,    map<exp_of>};

}  // namespace enm::kernels
