// Rows in groups against one or two panels, the sums in registers: each element of B that is loaded
// is used kRows times, each of A kPanels times.
#include <algorithm>

#include "enm/kernels/matmul_f32/variants.h"
#include "enm/kernels/variant.h"
#include "enm/kernels/vector.h"

namespace enm::kernels {
namespace {

// Of 32 registers half hold sums; of 16, 12 (a panel is two of those).
constexpr int kRows = kRegLanes == 16 ? 8 : 6;
constexpr int kPanels = kRegLanes == 16 ? 2 : 1;

template <int kGroup, int kWide>
void panel_rows(const MatmulF32Args& args, int64_t panel, int64_t row) {
  const float* b = args.panels + panel * args.k * kPanel;
  const float* a = args.a + row * args.lda;
  Vec acc[kGroup][kWide] = {};
  for (int64_t k = 0; k < args.k; ++k) {
    Vec column[kWide];
    for (int p = 0; p < kWide; ++p) column[p] = load<Vec>(b + (p * args.k + k) * kPanel);
#pragma GCC unroll 8
    for (int r = 0; r < kGroup; ++r) {
#pragma GCC unroll 2
      for (int p = 0; p < kWide; ++p) acc[r][p] += column[p] * a[r * args.lda + k];
    }
  }
  for (int p = 0; p < kWide; ++p) {
    const int64_t n = (panel + p) * kPanel;
    const int64_t columns = std::min(kPanel, args.n - n);
    const Vec bias = args.bias != nullptr ? load_some(args.bias + n, columns) : Vec{};
    for (int r = 0; r < kGroup; ++r) {
      float* y = args.y + (row + r) * args.ldy + n;
      if (columns == kPanel) {
        store(y, acc[r][p] + bias);
      } else {
        store_some(y, acc[r][p] + bias, columns);
      }
    }
  }
}

template <int kWide>
void all_rows(const MatmulF32Args& args, int64_t panel) {
  int64_t row = 0;
  for (; row + kRows <= args.m; row += kRows) panel_rows<kRows, kWide>(args, panel, row);
  if constexpr (kRegLanes == 16) {
    for (; row + 4 <= args.m; row += 4) panel_rows<4, kWide>(args, panel, row);
  }
  for (; row < args.m; ++row) panel_rows<1, kWide>(args, panel, row);
}

void panels(const MatmulF32Args& args, int64_t panel_begin, int64_t panel_end) {
  int64_t panel = panel_begin;
  for (; panel + kPanels <= panel_end; panel += kPanels) all_rows<kPanels>(args, panel);
  if constexpr (kPanels > 1) {
    for (; panel < panel_end; ++panel) all_rows<1>(args, panel);
  }
}

}  // namespace

extern const MatmulF32Kernels ENM_VARIANT_NAME(kMatmulF32) = {panels};

}  // namespace enm::kernels
