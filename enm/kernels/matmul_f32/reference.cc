#include <algorithm>

#include "enm/kernels/matmul_f32/variants.h"

namespace enm::kernels {
namespace {

void panels(const MatmulF32Args& args, int64_t panel_begin, int64_t panel_end) {
  for (int64_t row = 0; row < args.m; ++row) {
    for (int64_t n = panel_begin * kPanel; n < std::min(panel_end * kPanel, args.n); ++n) {
      const float* panel = args.panels + n / kPanel * args.k * kPanel + n % kPanel;
      float total = 0;
      for (int64_t k = 0; k < args.k; ++k) total += args.a[row * args.lda + k] * panel[k * kPanel];
      args.y[row * args.ldy + n] = total + (args.bias != nullptr ? args.bias[n] : 0.0f);
    }
  }
}

}  // namespace

const MatmulF32Kernels kMatmulF32Scalar = {panels};

}  // namespace enm::kernels
