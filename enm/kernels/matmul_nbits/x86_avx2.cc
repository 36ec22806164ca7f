// A tile's 64-byte vector is two ymm of 8 columns. vpmaddubsw saturates at 16 bits, so 4-bit
// products are added up in 16 bits only as far as they fit (8 * 2 * 15 * 127 = 30,480), and 8-bit
// weights are made signed and multiplied by their sign (2 * 128 * 127 = 32,512).
#include <immintrin.h>

#include "enm/kernels/matmul_nbits/variants.h"

namespace enm::kernels {
namespace {

struct Avx2 {
  struct Float {
    __m256 lo, hi;
  };
  static constexpr int kRows = 4;
  static constexpr int kFewRows = 2;

  static Float set1(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static Float load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static Float load_half(const uint16_t* p) {
    const auto* halves = reinterpret_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
  }
  static Float load_bytes(const uint8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)),
            _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)))};
  }
  static void store(float* p, Float x) {
    _mm256_storeu_ps(p, x.lo);
    _mm256_storeu_ps(p + 8, x.hi);
  }
  static Float add(Float a, Float b) {
    return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
  }
  static Float mul(Float a, Float b) {
    return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
  }
  static Float fmadd(Float a, Float b, Float c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
  }
  static Float fnmadd(Float a, Float b, Float c) {
    return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
  }

  static __m256i four(const int8_t* p) {
    int32_t bytes;
    __builtin_memcpy(&bytes, p, 4);
    return _mm256_set1_epi32(bytes);
  }
  static __m256i half(const uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static __m256 widen(__m256i pairs) {
    return _mm256_cvtepi32_ps(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }

  // 8 columns: the vectors j = 0..3 of either nibble half, added up in 16 bits.
  template <bool kSplit, int kRowCount>
  static void dot4(const uint8_t* quants, const int8_t* a, int64_t stride, __m256* low,
                   __m256* high) {
    __m256i lo[kRowCount];
    __m256i hi[kRowCount];
    for (int r = 0; r < kRowCount; ++r) lo[r] = hi[r] = _mm256_setzero_si256();
    const __m256i mask = _mm256_set1_epi8(15);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const __m256i both = half(quants + 64 * j);
      const __m256i w_low = _mm256_and_si256(both, mask);
      const __m256i w_high = _mm256_and_si256(_mm256_srli_epi16(both, 4), mask);
#pragma GCC unroll 4
      for (int r = 0; r < kRowCount; ++r) {
        const int8_t* row = a + r * stride + 4 * j;
        lo[r] = _mm256_add_epi16(lo[r], _mm256_maddubs_epi16(w_low, four(row)));
        hi[r] = _mm256_add_epi16(hi[r], _mm256_maddubs_epi16(w_high, four(row + 16)));
      }
    }
    for (int r = 0; r < kRowCount; ++r) {
      low[r] = widen(kSplit ? lo[r] : _mm256_add_epi16(lo[r], hi[r]));
      if constexpr (kSplit) high[r] = widen(hi[r]);
    }
  }

  // 8 columns of one 16-value half of an 8-bit step; the result counts weights from 0, not -128.
  static __m256 dot8(const uint8_t* quants, const int8_t* a) {
    __m256i sum = _mm256_setzero_si256();
    __m256i total = _mm256_setzero_si256();  // of the activations, to undo the shift by 128
    const __m256i ones = _mm256_set1_epi16(1);
    for (int j = 0; j < 4; ++j) {
      const __m256i w = _mm256_xor_si256(half(quants + 64 * j), _mm256_set1_epi8(-128));
      const __m256i x = four(a + 4 * j);
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
      total = _mm256_add_epi32(
          total, _mm256_madd_epi16(_mm256_maddubs_epi16(_mm256_set1_epi8(1), x), ones));
    }
    return _mm256_cvtepi32_ps(_mm256_add_epi32(sum, _mm256_slli_epi32(total, 7)));
  }

  template <int kBits, bool kSplit, int kRowCount>
  static void dot(const uint8_t* quants, const int8_t* a, int64_t stride, Float* low, Float* high) {
    if constexpr (kBits == 4) {
      __m256 lo[2][kRowCount];
      __m256 hi[2][kRowCount];
      dot4<kSplit, kRowCount>(quants, a, stride, lo[0], hi[0]);
      dot4<kSplit, kRowCount>(quants + 32, a, stride, lo[1], hi[1]);
      for (int r = 0; r < kRowCount; ++r) {
        low[r] = {lo[0][r], lo[1][r]};
        if constexpr (kSplit) high[r] = {hi[0][r], hi[1][r]};
      }
    } else {
      for (int r = 0; r < kRowCount; ++r) {
        const int8_t* row = a + r * stride;
        low[r] = {dot8(quants, row), dot8(quants + 32, row)};
        high[r] = {dot8(quants + 256, row + 16), dot8(quants + 288, row + 16)};
        if constexpr (!kSplit) low[r] = add(low[r], high[r]);
      }
    }
  }

  static Float integers(__m256i lo, __m256i hi, __m256i mask) {
    return {_mm256_cvtepi32_ps(_mm256_and_si256(lo, mask)),
            _mm256_cvtepi32_ps(_mm256_and_si256(hi, mask))};
  }

  template <int kBits, int kRowCount>
  static void fma_step(const uint8_t* quants, const float* a, int64_t stride, Float* low,
                       Float* high) {
    for (int r = 0; r < kRowCount; ++r) low[r] = high[r] = set1(0.0f);
    const __m256i mask = _mm256_set1_epi32(kBits == 4 ? 15 : 255);
    for (int j = 0; j < 4; ++j) {
      __m256i first[2] = {half(quants + 64 * j), half(quants + 64 * j + 32)};
      __m256i second[2];
      for (int h = 0; h < 2; ++h) {
        second[h] =
            kBits == 4 ? _mm256_srli_epi32(first[h], 4) : half(quants + 64 * (j + 4) + 32 * h);
      }
      for (int i = 0; i < 4; ++i) {
        const Float w_low = integers(first[0], first[1], mask);
        const Float w_high = integers(second[0], second[1], mask);
        for (int r = 0; r < kRowCount; ++r) {
          low[r] = fmadd(w_low, set1(a[r * stride + 4 * j + i]), low[r]);
          high[r] = fmadd(w_high, set1(a[r * stride + 16 + 4 * j + i]), high[r]);
        }
        for (int h = 0; h < 2; ++h) {
          first[h] = _mm256_srli_epi32(first[h], 8);
          second[h] = _mm256_srli_epi32(second[h], 8);
        }
      }
    }
  }
};

#include "enm/kernels/matmul_nbits/tiles.inc"

}  // namespace

const MatmulNbitsKernels kMatmulNbitsAvx2 = {nullptr, int8_tiles<Avx2>, float_tiles<Avx2>};

}  // namespace enm::kernels
