// Scaled dot-product attention of one query row of one head:
//   y = softmax(scale * q K^T + mask) V
#pragma once

#include <cstdint>

#include "enm/base/cpu.h"

namespace enm::kernels {

struct AttentionRow {
  const float* q = nullptr;  // [head_dim]
  const float* k = nullptr;  // [length] rows of head_dim floats, k_stride apart
  const float* v = nullptr;  // [length] rows of head_dim floats, v_stride apart
  float* y = nullptr;        // [head_dim]; must not overlap q
  /// Keys that count, 1 or 0, or null for all. A row with no key at all gives zeros.
  const int32_t* keep = nullptr;
  float* scores = nullptr;  // [length] of scratch
  int64_t length = 0;
  int64_t head_dim = 0;
  int64_t k_stride = 0;
  int64_t v_stride = 0;
  float scale = 1;
};

struct AttentionKernels {
  void (*row)(const AttentionRow& row);
};

const AttentionKernels& attention_kernels(Isa isa);

}  // namespace enm::kernels
