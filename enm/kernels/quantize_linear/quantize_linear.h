// Floats to unsigned bytes with one scale and zero point: y = clamp(round(x / scale) + zero, 0,
// 255), ties to even. The rule of ONNX QuantizeLinear and DynamicQuantizeLinear for u8.
#pragma once

#include <cstdint>

#include "enm/base/cpu.h"

namespace enm::kernels {

struct QuantizeLinearKernels {
  /// Lowers *low and raises *high to what the `n` values reach; of a NaN, anything.
  void (*range)(const float* x, int64_t n, float* low, float* high);
  /// `zero` in [0, 255]. NaN gives any byte: relaxed SIMD leaves it to the engine.
  void (*quantize)(const float* x, int64_t n, float scale, int32_t zero, uint8_t* y);
};

const QuantizeLinearKernels& quantize_linear_kernels(Isa isa);

struct QuantizeParameters {
  float scale = 1;
  int32_t zero = 0;
};

/// The grid of 256 steps over [low, high], which hold 0. Source: ONNX DynamicQuantizeLinear-11; a
/// range of nothing but 0 gets scale 1 as in ONNX Runtime.
QuantizeParameters choose_quantize_parameters(float low, float high);

}  // namespace enm::kernels
