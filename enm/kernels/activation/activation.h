// Functions of one variable over n floats; x and y may be the same memory.
#pragma once

#include <cstdint>

#include "enm/base/cpu.h"

namespace enm::kernels {

struct ActivationKernels {
  using Function = void (*)(const float* x, float* y, int64_t n);
  Function gelu;       // x (1 + erf(x / sqrt 2)) / 2
  Function gelu_tanh;  // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2: "gelu_new", FastGelu
  Function sigmoid;    // 1 / (1 + e^-x)
  Function tanh;
  Function erf;
  Function exp;
};

/// Absolute error of every variant against exact arithmetic: below 1e-6 (1 + |x|), exp relative.
const ActivationKernels& activation_kernels(Isa isa);

}  // namespace enm::kernels
