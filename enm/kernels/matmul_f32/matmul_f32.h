// Y = A B + bias in floats, B packed: columns in panels of 16, [n / 16][k][16], zeros beyond n.
#pragma once

#include <cstdint>

#include "enm/base/cpu.h"
#include "enm/base/threads.h"

namespace enm::kernels {

inline constexpr int64_t kPanel = 16;

struct MatmulF32Args {
  const float* a = nullptr;       // [m, k], rows lda apart
  const float* panels = nullptr;  // packed B
  float* y = nullptr;             // [m, n], rows ldy apart; must not overlap a
  const float* bias = nullptr;    // [n] or null
  int64_t m = 0, n = 0, k = 0;
  int64_t lda = 0, ldy = 0;
};

struct MatmulF32Kernels {
  /// All rows of the panels [panel_begin, panel_end).
  void (*panels)(const MatmulF32Args& args, int64_t panel_begin, int64_t panel_end);
};

const MatmulF32Kernels& matmul_f32_kernels(Isa isa);

inline int64_t panel_count(int64_t n) { return (n + kPanel - 1) / kPanel; }
inline int64_t packed_floats(int64_t n, int64_t k) { return panel_count(n) * kPanel * k; }

/// Packs the panels [panel_begin, panel_end) of B, whose element (k, n) stands at
/// b[k * k_stride + n * n_stride].
void pack_f32(const float* b, int64_t n, int64_t k, int64_t n_stride, int64_t k_stride,
              int64_t panel_begin, int64_t panel_end, float* panels);

/// The whole product, panels spread over the pool. The same bits whatever the number of threads.
void matmul_f32(const MatmulF32Kernels& kernels, ThreadPool& pool, const MatmulF32Args& args);

}  // namespace enm::kernels
