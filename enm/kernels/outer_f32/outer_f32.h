// C += A^T B or C -= A^T B in floats, A [k, m] and B [k, n] packed as matmul_f32 packs a right
// factor: columns in panels of 16, [m / 16][k][16], zeros beyond m. What Hessians (A = B, a
// triangle of C), Cholesky factors and error feedback are made of.
#pragma once

#include <cstdint>

#include "enm/base/cpu.h"
#include "enm/base/threads.h"
#include "enm/kernels/matmul_f32/matmul_f32.h"

namespace enm::kernels {

/// Element (16 i + r, 16 j + s) of C, for panel i of A and j of B, stands at
/// c[(16 i + r) * c_row + j * c_panel + s]: any row-major matrix with c_panel = 16, a packed one
/// with c_row = 16. C has room for whole panels and must not overlap A or B.
struct OuterF32Args {
  const float* a = nullptr;
  const float* b = nullptr;
  float* c = nullptr;
  int64_t k = 0;
  int64_t a_panels = 0, b_panels = 0;
  int64_t c_row = 0, c_panel = kPanel;
  bool subtract = false;
  bool triangle = false;  // only panels j >= i of each i
};

struct OuterF32Kernels {
  /// Panels [a_begin, a_end) of A against [b_begin, b_end) of B.
  void (*tiles)(const OuterF32Args& args, int64_t a_begin, int64_t a_end, int64_t b_begin,
                int64_t b_end);
};

const OuterF32Kernels& outer_f32_kernels(Isa isa);

/// The whole product over the pool. The same bits whatever the number of threads.
void outer_f32(const OuterF32Kernels& kernels, ThreadPool& pool, const OuterF32Args& args);

}  // namespace enm::kernels
