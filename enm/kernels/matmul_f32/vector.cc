// Rows in groups of 6 against one panel: 6 accumulators of 16 lanes, each element of B used 6
// times.
#include <algorithm>

#include "enm/kernels/matmul_f32/variants.h"
#include "enm/kernels/variant.h"
#include "enm/kernels/vector.h"

namespace enm::kernels {
namespace {

template <int kRows>
void panel_rows(const MatmulF32Args& args, int64_t panel, int64_t row) {
  const float* b = args.panels + panel * args.k * kPanel;
  const float* a = args.a + row * args.lda;
  Vec acc[kRows] = {};
  for (int64_t k = 0; k < args.k; ++k) {
    const Vec column = load(b + k * kPanel);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) acc[r] += column * a[r * args.lda + k];
  }
  const int64_t n = panel * kPanel;
  const int64_t columns = std::min(kPanel, args.n - n);
  const Vec bias = args.bias != nullptr ? load_some(args.bias + n, columns) : Vec{};
  for (int r = 0; r < kRows; ++r) {
    store_some(args.y + (row + r) * args.ldy + n, acc[r] + bias, columns);
  }
}

void panels(const MatmulF32Args& args, int64_t panel_begin, int64_t panel_end) {
  constexpr int kRows = 6;
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    int64_t row = 0;
    for (; row + kRows <= args.m; row += kRows) panel_rows<kRows>(args, panel, row);
    for (; row < args.m; ++row) panel_rows<1>(args, panel, row);
  }
}

}  // namespace

extern const MatmulF32Kernels ENM_VARIANT_NAME(kMatmulF32) = {panels};

}  // namespace enm::kernels
