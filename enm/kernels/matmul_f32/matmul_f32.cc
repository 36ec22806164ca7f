#include "enm/kernels/matmul_f32/matmul_f32.h"

#include <algorithm>

#include "enm/kernels/matmul_f32/variants.h"

namespace enm::kernels {

const MatmulF32Kernels& matmul_f32_kernels(Isa isa) {
  static const KernelTable<MatmulF32Kernels> table(kMatmulF32Variants);
  return table[isa];
}

void pack_f32(const float* b, int64_t n, int64_t k, int64_t n_stride, int64_t k_stride,
              int64_t panel_begin, int64_t panel_end, float* panels) {
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    float* out = panels + panel * k * kPanel;
    const int64_t columns = std::min(kPanel, n - panel * kPanel);
    const float* from = b + panel * kPanel * n_stride;
    for (int64_t row = 0; row < k; ++row) {
      for (int64_t c = 0; c < kPanel; ++c) {
        out[row * kPanel + c] = c < columns ? from[row * k_stride + c * n_stride] : 0.0f;
      }
    }
  }
}

void matmul_f32(const MatmulF32Kernels& kernels, ThreadPool& pool, const MatmulF32Args& args) {
  const int64_t panels = panel_count(args.n);
  const int64_t grain = std::max<int64_t>(1, panels / (8 * pool.size()));
  pool.parallel_for(panels, grain,
                    [&](int64_t begin, int64_t end, int) { kernels.panels(args, begin, end); });
}

}  // namespace enm::kernels
