#include "enm/kernels/matmul_int8/matmul_int8.h"

#include <algorithm>

#include "enm/kernels/matmul_int8/variants.h"

namespace enm::kernels {

const MatmulInt8Kernels& matmul_int8_kernels(Isa isa) {
  static const KernelTable<MatmulInt8Kernels> table(kMatmulInt8Variants);
  return table[isa];
}

void pack_int8(const Int8Source& source, int64_t tile_begin, int64_t tile_end,
               const PackedInt8& packed) {
  const uint8_t flip = source.is_signed ? 0 : 0x80;
  for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
    int8_t* quants = packed.quants + tile * int8_tile_bytes(packed.k);
    std::fill_n(quants, int8_tile_bytes(packed.k), int8_t{0});
    for (int64_t c = 0; c < kInt8Tile; ++c) {
      const int64_t n = tile * kInt8Tile + c;
      int32_t sum = 0;
      for (int64_t k = 0; k < packed.k && n < packed.n; ++k) {
        const auto value = static_cast<int8_t>(source.b[k * packed.n + n] ^ flip);
        quants[k / kInt8Step * 64 + c * kInt8Step + k % kInt8Step] = value;
        sum += value;
      }
      packed.sums[n] = sum;
      if (packed.zeros == nullptr) continue;
      const uint8_t zero = source.zero_count == 0 || n >= packed.n
                               ? uint8_t{0}
                               : source.zeros[source.zero_count == 1 ? 0 : n];
      packed.zeros[n] = static_cast<int8_t>(zero ^ flip);
    }
  }
}

void matmul_int8(const MatmulInt8Kernels& kernels, ThreadPool& pool, const MatmulInt8Args& args) {
  const PackedInt8& weight = args.weight;
  if (weight.zeros != nullptr) {
    pool.parallel_for(args.m, 64, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        const uint8_t* a = args.a + row * weight.k;
        int32_t sum = 0;
        for (int64_t k = 0; k < weight.k; ++k) sum += a[k];
        args.row_sums[row] = sum;
      }
    });
  }
  // Tile after tile of the same rows, which stay in the cache nearest to the core.
  constexpr int64_t kRows = 64;
  const int64_t tiles = weight.tiles();
  const int64_t blocks = (args.m + kRows - 1) / kRows;
  const int64_t grain = std::max<int64_t>(1, blocks * tiles / (8 * pool.size()));
  pool.parallel_for(blocks * tiles, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / tiles * kRows;
      kernels.tile(args, i % tiles, row, std::min(row + kRows, args.m));
    }
  });
}

}  // namespace enm::kernels
