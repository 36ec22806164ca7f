#include "enm/kernels/outer_f32/outer_f32.h"

#include <algorithm>

#include "enm/kernels/outer_f32/variants.h"

namespace enm::kernels {

const OuterF32Kernels& outer_f32_kernels(Isa isa) {
  static const KernelTable<OuterF32Kernels> table(kOuterF32Variants);
  return table[isa];
}

// Few panels of A stay in the second cache while B's pass by; the longest rows of a triangle come
// first, so that no thread is left alone with one.
void outer_f32(const OuterF32Kernels& kernels, ThreadPool& pool, const OuterF32Args& args) {
  constexpr int64_t kAcross = 64;  // panels of B in a task
  const int64_t down = std::clamp<int64_t>(args.a_panels / (4 * pool.size()), 1, 4);
  const int64_t rows = (args.a_panels + down - 1) / down;
  const int64_t columns = (args.b_panels + kAcross - 1) / kAcross;
  pool.parallel_for(rows * columns, 1, [&](int64_t begin, int64_t end, int) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t a_begin = task / columns * down;
      const int64_t a_end = std::min(a_begin + down, args.a_panels);
      const int64_t b_begin = task % columns * kAcross;
      const int64_t b_end = std::min(b_begin + kAcross, args.b_panels);
      if (!args.triangle) {
        kernels.tiles(args, a_begin, a_end, b_begin, b_end);
        continue;
      }
      for (int64_t a = a_begin; a < a_end; ++a) {
        const int64_t from = std::max(a, b_begin);
        if (from < b_end) kernels.tiles(args, a, a + 1, from, b_end);
      }
    }
  });
}

}  // namespace enm::kernels
