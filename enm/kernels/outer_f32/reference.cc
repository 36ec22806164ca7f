#include "enm/kernels/outer_f32/variants.h"

namespace enm::kernels {
namespace {

void tiles(const OuterF32Args& args, int64_t a_begin, int64_t a_end, int64_t b_begin,
           int64_t b_end) {
  for (int64_t row = a_begin * kPanel; row < a_end * kPanel; ++row) {
    const float* a = args.a + row / kPanel * args.k * kPanel + row % kPanel;
    for (int64_t column = b_begin * kPanel; column < b_end * kPanel; ++column) {
      const float* b = args.b + column / kPanel * args.k * kPanel + column % kPanel;
      float total = 0;
      for (int64_t k = 0; k < args.k; ++k) total += a[k * kPanel] * b[k * kPanel];
      float& c = args.c[row * args.c_row + column / kPanel * args.c_panel + column % kPanel];
      c += args.subtract ? -total : total;
    }
  }
}

}  // namespace

const OuterF32Kernels kOuterF32Scalar = {tiles};

}  // namespace enm::kernels
