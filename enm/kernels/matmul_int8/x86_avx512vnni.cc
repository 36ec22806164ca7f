// One zmm holds a step of a tile: 16 columns, 4 bytes each. vpdpbusd adds the four products to 32
// bits without a stop at 16.
#include <immintrin.h>

#include "enm/kernels/matmul_int8/variants.h"

namespace enm::kernels {
namespace {

#include "enm/kernels/matmul_int8/tiles.inc"

struct Avx512 {
  static constexpr int kRows = 8;

  template <int kRowCount>
  static void dot(const int8_t* quants, int64_t k, const uint8_t* a, int32_t (*sums)[kInt8Tile]) {
    __m512i acc[kRowCount];
    for (int r = 0; r < kRowCount; ++r) acc[r] = _mm512_setzero_si512();
    int64_t i = 0;
    for (; i + kInt8Step <= k; i += kInt8Step, quants += 64) {
      const __m512i w = _mm512_loadu_si512(quants);
#pragma GCC unroll 8
      for (int r = 0; r < kRowCount; ++r) {
        const __m512i x = _mm512_set1_epi32(static_cast<int>(four_bytes(a + r * k + i, 4)));
        acc[r] = _mm512_dpbusd_epi32(acc[r], x, w);
      }
    }
    if (i < k) {
      const __m512i w = _mm512_loadu_si512(quants);
      for (int r = 0; r < kRowCount; ++r) {
        const __m512i x = _mm512_set1_epi32(static_cast<int>(four_bytes(a + r * k + i, k - i)));
        acc[r] = _mm512_dpbusd_epi32(acc[r], x, w);
      }
    }
    for (int r = 0; r < kRowCount; ++r) _mm512_store_si512(sums[r], acc[r]);
  }
};

}  // namespace

const MatmulInt8Kernels kMatmulInt8Avx512Vnni = {tile_rows<Avx512>};

}  // namespace enm::kernels
