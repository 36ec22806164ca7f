#include "enm/kernels/check.h"
#include "enm/kernels/activation/activation.h"

namespace enm::kernels {
namespace {

using Function = ActivationKernels::Function ActivationKernels::*;
constexpr Function kFunctions[] = {&ActivationKernels::gelu,    &ActivationKernels::gelu_tanh,
                                   &ActivationKernels::sigmoid, &ActivationKernels::tanh,
                                   &ActivationKernels::erf,     &ActivationKernels::exp};

const Check check("activation", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  CheckRandom random(3);
  for (Function function : kFunctions) {
    for (int64_t n : {1, 15, 16, 17, 33, 5000}) {
      Guarded<float> x(n, 1), expected(n, 2), y(n, 3);
      fill(random, x.all(), -12, 12);
      x[0] = std::nanf("");
      if (n > 4) {
        x[1] = 0;
        x[2] = 80;
        x[3] = -80;
      }
      if (n > 4 && function == &ActivationKernels::exp) {
        x[4] = 88.7f;
        x[5] = 89;
        x[6] = INFINITY;
        x[7] = -INFINITY;
      }
      (activation_kernels(Isa::kScalar).*function)(x.data(), expected.data(), n);
      pool.parallel_for(n, 1000, [&](int64_t begin, int64_t end, int) {
        (activation_kernels(isa).*function)(x.data() + begin, y.data() + begin, end - begin);
      });
      report.equal(y.guard_intact(), true, "activation guard", n);
      for (int64_t i = 0; i < n; ++i) {
        const float size = 1 + std::fabs(x[i]) + std::fabs(expected[i]);
        report.near(y[i], expected[i], 1e-6f * size, "activation", i);
      }
    }
  }
});

}  // namespace
}  // namespace enm::kernels
