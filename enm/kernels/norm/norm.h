// Normalization of rows, with the additions that the fused operators put in front.
//   s = x + skip + bias;  LayerNorm: (s - mean(s)) / sqrt(var(s) + epsilon) * gamma + beta
//                         RMSNorm:   s / sqrt(mean(s^2) + epsilon) * gamma
// Sources: arXiv 1607.06450, arXiv 1910.07467.
#pragma once

#include <cstdint>

#include "enm/base/cpu.h"

namespace enm::kernels {

struct NormArgs {
  const float* x = nullptr;      // [width]
  const float* skip = nullptr;   // [width] or null
  const float* bias = nullptr;   // [width] or null
  const float* gamma = nullptr;  // [width]
  const float* beta = nullptr;   // [width] or null
  float* y = nullptr;            // [width]; may be x
  float* sum = nullptr;          // s, if not null; may be x or skip
  int64_t width = 0;
  float epsilon = 0;
};

struct NormKernels {
  void (*layer_norm)(const NormArgs& row);
  void (*rms_norm)(const NormArgs& row);
};

const NormKernels& norm_kernels(Isa isa);

}  // namespace enm::kernels
