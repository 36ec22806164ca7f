// Tiles of kRows x kPanels * 16, held in registers through all of k: each element of B that is
// loaded is used kRows times, each of A kPanels times.
#include "enm/kernels/vector.h"
#include "enm/kernels/outer_f32/variants.h"
#include "enm/kernels/variant.h"

namespace enm::kernels {
namespace {

constexpr int kRows = kRegLanes == 16 ? 8 : 4;  // of the 32 or 16 registers, half hold sums

template <int kPanels>
void tile(const OuterF32Args& args, int64_t row, int64_t panel) {
  const float* a = args.a + row / kPanel * args.k * kPanel + row % kPanel;
  const float* b = args.b + panel * args.k * kPanel;
  Vec sums[kRows][kPanels] = {};
  for (int64_t k = 0; k < args.k; ++k) {
    Vec column[kPanels];
    for (int p = 0; p < kPanels; ++p) column[p] = load(b + (p * args.k + k) * kPanel);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; ++p) sums[r][p] += column[p] * a[k * kPanel + r];
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kPanels; ++p) {
      float* c = args.c + (row + r) * args.c_row + (panel + p) * args.c_panel;
      store(c, args.subtract ? load<Vec>(c) - sums[r][p] : load<Vec>(c) + sums[r][p]);
    }
  }
}

void tiles(const OuterF32Args& args, int64_t a_begin, int64_t a_end, int64_t b_begin,
           int64_t b_end) {
  constexpr int kPanels = kRegLanes == 16 ? 2 : 1;
  int64_t panel = b_begin;
  for (; panel + kPanels <= b_end; panel += kPanels) {
    for (int64_t row = a_begin * kPanel; row < a_end * kPanel; row += kRows) {
      tile<kPanels>(args, row, panel);
    }
  }
  for (; panel < b_end; ++panel) {
    for (int64_t row = a_begin * kPanel; row < a_end * kPanel; row += kRows) {
      tile<1>(args, row, panel);
    }
  }
}

}  // namespace

extern const OuterF32Kernels ENM_VARIANT_NAME(kOuterF32) = {tiles};

}  // namespace enm::kernels
