// vpmaddubsw would saturate (2 * 255 * 128 passes 16 bits), so even and odd bytes are widened to 16
// bits where they stand and multiplied by vpmaddwd, which adds to 32.
#include <immintrin.h>

#include "enm/kernels/matmul_int8/variants.h"

namespace enm::kernels {
namespace {

#include "enm/kernels/matmul_int8/tiles.inc"

struct Avx2 {
  static constexpr int kRows = 4;

  static __m256i even(__m256i bytes) { return _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8); }

  // One step: 16 columns in two halves.
  template <int kRowCount>
  static void step(const int8_t* quants, const uint32_t* x, __m256i (*acc)[2]) {
    for (int h = 0; h < 2; ++h) {
      const __m256i w = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(quants + 32 * h));
      const __m256i w_even = even(w);
      const __m256i w_odd = _mm256_srai_epi16(w, 8);
#pragma GCC unroll 4
      for (int r = 0; r < kRowCount; ++r) {
        const __m256i all = _mm256_set1_epi32(static_cast<int>(x[r]));
        const __m256i x_even = _mm256_and_si256(all, _mm256_set1_epi16(0x00ff));
        const __m256i x_odd = _mm256_srli_epi16(all, 8);
        acc[r][h] = _mm256_add_epi32(acc[r][h], _mm256_madd_epi16(w_even, x_even));
        acc[r][h] = _mm256_add_epi32(acc[r][h], _mm256_madd_epi16(w_odd, x_odd));
      }
    }
  }

  template <int kRowCount>
  static void dot(const int8_t* quants, int64_t k, const uint8_t* a, int32_t (*sums)[kInt8Tile]) {
    __m256i acc[kRowCount][2];
    for (auto& row : acc) row[0] = row[1] = _mm256_setzero_si256();
    uint32_t x[kRowCount];
    int64_t i = 0;
    for (; i + kInt8Step <= k; i += kInt8Step, quants += 64) {
      for (int r = 0; r < kRowCount; ++r) x[r] = four_bytes(a + r * k + i, 4);
      step<kRowCount>(quants, x, acc);
    }
    if (i < k) {
      for (int r = 0; r < kRowCount; ++r) x[r] = four_bytes(a + r * k + i, k - i);
      step<kRowCount>(quants, x, acc);
    }
    for (int r = 0; r < kRowCount; ++r) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(sums[r]), acc[r][0]);
      _mm256_store_si256(reinterpret_cast<__m256i*>(sums[r] + 8), acc[r][1]);
    }
  }
};

}  // namespace

const MatmulInt8Kernels kMatmulInt8Avx2 = {tile_rows<Avx2>};

}  // namespace enm::kernels
