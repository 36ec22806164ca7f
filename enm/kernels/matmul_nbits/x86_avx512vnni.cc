// One zmm holds a vector of a tile: 16 columns, 4 bytes each, which is what vpdpbusd adds up.
#include <immintrin.h>

#include "enm/kernels/matmul_nbits/variants.h"

namespace enm::kernels {
namespace {

struct Avx512 {
  using Float = __m512;
  static constexpr int kRows = 8;
  static constexpr int kFewRows = 2;

  static Float set1(float x) { return _mm512_set1_ps(x); }
  static Float load(const float* p) { return _mm512_loadu_ps(p); }
  static Float load_half(const uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static Float load_bytes(const uint8_t* p) {
    return _mm512_cvtepi32_ps(
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static void store(float* p, Float x) { _mm512_storeu_ps(p, x); }
  static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
  static Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
  static Float fmadd(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static Float fnmadd(Float a, Float b, Float c) { return _mm512_fnmadd_ps(a, b, c); }

  static __m512i four(const int8_t* p) {
    int32_t bytes;
    __builtin_memcpy(&bytes, p, 4);
    return _mm512_set1_epi32(bytes);
  }

  template <int kBits, bool kSplit, int kRowCount>
  static void dot(const uint8_t* quants, const int8_t* a, int64_t stride, Float* low, Float* high) {
    __m512i lo[kRowCount];
    __m512i hi[kRowCount];
    for (int r = 0; r < kRowCount; ++r) lo[r] = hi[r] = _mm512_setzero_si512();
    const __m512i mask = _mm512_set1_epi8(15);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      __m512i w_low;
      __m512i w_high;
      if constexpr (kBits == 4) {
        const __m512i both = _mm512_loadu_si512(quants + 64 * j);
        w_low = _mm512_and_si512(both, mask);
        w_high = _mm512_and_si512(_mm512_srli_epi16(both, 4), mask);
      } else {
        w_low = _mm512_loadu_si512(quants + 64 * j);
        w_high = _mm512_loadu_si512(quants + 64 * (j + 4));
      }
#pragma GCC unroll 8
      for (int r = 0; r < kRowCount; ++r) {
        lo[r] = _mm512_dpbusd_epi32(lo[r], w_low, four(a + r * stride + 4 * j));
        hi[r] = _mm512_dpbusd_epi32(hi[r], w_high, four(a + r * stride + 16 + 4 * j));
      }
    }
    for (int r = 0; r < kRowCount; ++r) {
      low[r] = _mm512_cvtepi32_ps(kSplit ? lo[r] : _mm512_add_epi32(lo[r], hi[r]));
      if constexpr (kSplit) high[r] = _mm512_cvtepi32_ps(hi[r]);
    }
  }

  template <int kBits, int kRowCount>
  static void fma_step(const uint8_t* quants, const float* a, int64_t stride, Float* low,
                       Float* high) {
    for (int r = 0; r < kRowCount; ++r) low[r] = high[r] = _mm512_setzero_ps();
    const __m512i mask = _mm512_set1_epi32(kBits == 4 ? 15 : 255);
    for (int j = 0; j < 4; ++j) {
      __m512i first = _mm512_loadu_si512(quants + 64 * j);
      __m512i second =
          kBits == 4 ? _mm512_srli_epi32(first, 4) : _mm512_loadu_si512(quants + 64 * (j + 4));
      for (int i = 0; i < 4; ++i) {
        const Float w_low = _mm512_cvtepi32_ps(_mm512_and_si512(first, mask));
        const Float w_high = _mm512_cvtepi32_ps(_mm512_and_si512(second, mask));
        for (int r = 0; r < kRowCount; ++r) {
          low[r] = fmadd(w_low, set1(a[r * stride + 4 * j + i]), low[r]);
          high[r] = fmadd(w_high, set1(a[r * stride + 16 + 4 * j + i]), high[r]);
        }
        first = _mm512_srli_epi32(first, 8);
        second = _mm512_srli_epi32(second, 8);
      }
    }
  }
};

#include "enm/kernels/matmul_nbits/tiles.inc"

}  // namespace

const MatmulNbitsKernels kMatmulNbitsAvx512Vnni = {nullptr, int8_tiles<Avx512>,
                                                   float_tiles<Avx512>};

}  // namespace enm::kernels
