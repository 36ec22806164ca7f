// 16 columns are four v128. Compiled once for simd128 and once for relaxed SIMD, which differ in
// the integer dot alone:
//
// relaxed  i16x8.relaxed_dot_i8x16_i7x16 with the activations first and nibbles second: those fit 7
//          bits, so that every engine computes the same, and it is one instruction on x86. A lane
//          adds up 16 products of a step in 16 bits (16 * 15 * 127 = 30,480) and widens once. 8-bit
//          weights are two nibbles.
// simd128  i32x4.dot_i16x8 on 16-bit lanes masked in place, so that a nibble counts 1, 16, 256 or
//          4096 times, and on activations shifted up to make it 256 times in each case.
#include <wasm_simd128.h>

#include <type_traits>

#include "enm/kernels/matmul_nbits/variants.h"
#include "enm/kernels/variant.h"

namespace enm::kernels {
namespace {

v128_t four_bytes(const int8_t* p) { return wasm_v128_load32_splat(p); }

// One v128 of a step's sums for each of four columns: low, then high halves of k.
struct Sums {
  v128_t low;
  v128_t high;
};

#if defined(ENM_RELAXED_DOT)

v128_t relaxed_dot(v128_t sum, v128_t activations, v128_t nibbles) {
  return wasm_i16x8_add(sum, wasm_i16x8_relaxed_dot_i8x16_i7x16(activations, nibbles));
}

struct Dot4 {
  v128_t low = wasm_i16x8_splat(0);
  v128_t high = wasm_i16x8_splat(0);

  template <bool kSplit>
  void add(v128_t both, v128_t a_low, v128_t a_high) {
    const v128_t mask = wasm_i8x16_splat(15);
    v128_t& second = kSplit ? high : low;
    low = relaxed_dot(low, a_low, wasm_v128_and(both, mask));
    second = relaxed_dot(second, a_high, wasm_v128_and(wasm_u16x8_shr(both, 4), mask));
  }
  Sums sums() const {
    return {wasm_i32x4_extadd_pairwise_i16x8(low), wasm_i32x4_extadd_pairwise_i16x8(high)};
  }
};

struct Dot8 {
  v128_t low[2] = {wasm_i16x8_splat(0), wasm_i16x8_splat(0)};  // of the two nibbles
  v128_t high[2] = {wasm_i16x8_splat(0), wasm_i16x8_splat(0)};

  void add(v128_t first, v128_t last, v128_t a_low, v128_t a_high) {
    const v128_t mask = wasm_i8x16_splat(15);
    low[0] = relaxed_dot(low[0], a_low, wasm_v128_and(first, mask));
    low[1] = relaxed_dot(low[1], a_low, wasm_v128_and(wasm_u16x8_shr(first, 4), mask));
    high[0] = relaxed_dot(high[0], a_high, wasm_v128_and(last, mask));
    high[1] = relaxed_dot(high[1], a_high, wasm_v128_and(wasm_u16x8_shr(last, 4), mask));
  }
  static v128_t join(const v128_t* nibbles) {
    return wasm_i32x4_add(wasm_i32x4_extadd_pairwise_i16x8(nibbles[0]),
                          wasm_i32x4_shl(wasm_i32x4_extadd_pairwise_i16x8(nibbles[1]), 4));
  }
  Sums sums() const { return {join(low), join(high)}; }
};

#else

v128_t dot(v128_t sum, v128_t weights, v128_t activations) {
  return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(weights, activations));
}

struct Dot4 {
  v128_t low = wasm_i32x4_splat(0);  // 256 times the sums
  v128_t high = wasm_i32x4_splat(0);

  template <bool kSplit>
  void add(v128_t both, v128_t a_low, v128_t a_high) {
    const v128_t even = wasm_i16x8_shl(a_high, 8);
    v128_t& second = kSplit ? high : low;
    low = dot(low, wasm_v128_and(both, wasm_i16x8_splat(0x000f)), wasm_i16x8_shl(a_low, 8));
    low = dot(low, wasm_v128_and(both, wasm_i16x8_splat(0x0f00)), wasm_i16x8_shr(a_low, 8));
    second = dot(second, wasm_v128_and(both, wasm_i16x8_splat(0x00f0)), wasm_i16x8_shr(even, 4));
    second = dot(second, wasm_u16x8_shr(both, 12),
                 wasm_v128_and(a_high, wasm_i16x8_splat(static_cast<int16_t>(0xff00))));
  }
  Sums sums() const { return {wasm_i32x4_shr(low, 8), wasm_i32x4_shr(high, 8)}; }
};

struct Dot8 {
  v128_t low = wasm_i32x4_splat(0);
  v128_t high = wasm_i32x4_splat(0);

  static v128_t half(v128_t sum, v128_t weights, v128_t a) {
    sum = dot(sum, wasm_v128_and(weights, wasm_i16x8_splat(0x00ff)),
              wasm_i16x8_shr(wasm_i16x8_shl(a, 8), 8));
    return dot(sum, wasm_u16x8_shr(weights, 8), wasm_i16x8_shr(a, 8));
  }
  void add(v128_t first, v128_t last, v128_t a_low, v128_t a_high) {
    low = half(low, first, a_low);
    high = half(high, last, a_high);
  }
  Sums sums() const { return {low, high}; }
};

#endif

struct Wasm {
  struct Float {
    v128_t part[4];
  };
  static constexpr int kRows = 4;
  static constexpr int kFewRows = 4;  // two more are 27 KB of the module

  static Float set1(float x) {
    const v128_t all = wasm_f32x4_splat(x);
    return {{all, all, all, all}};
  }
  static Float load(const float* p) {
    return {
        {wasm_v128_load(p), wasm_v128_load(p + 4), wasm_v128_load(p + 8), wasm_v128_load(p + 12)}};
  }
  // Exponent and fraction moved into a float's place, then 2^112 makes up for the bias. Exact for
  // every finite half.
  static v128_t four_halves(const uint16_t* p) {
    const v128_t wide = wasm_i32x4_shl(wasm_i32x4_load16x4(p), 13);
    const v128_t bits = wasm_v128_and(wide, wasm_i32x4_splat(static_cast<int>(0x8fffe000u)));
    return wasm_f32x4_mul(bits, wasm_i32x4_splat(0x77800000));
  }
  static Float load_half(const uint16_t* p) {
    return {{four_halves(p), four_halves(p + 4), four_halves(p + 8), four_halves(p + 12)}};
  }
  static Float load_bytes(const uint8_t* p) {
    Float out;
    for (int c = 0; c < 4; ++c) {
      const v128_t bytes = wasm_v128_load32_zero(p + 4 * c);
      const v128_t words = wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(bytes));
      out.part[c] = wasm_f32x4_convert_i32x4(words);
    }
    return out;
  }
  static void store(float* p, Float x) {
    for (int c = 0; c < 4; ++c) wasm_v128_store(p + 4 * c, x.part[c]);
  }
  template <typename Operation>
  static Float each(Operation operation) {
    return {{operation(0), operation(1), operation(2), operation(3)}};
  }
  static Float add(Float a, Float b) {
    return each([&](int c) { return wasm_f32x4_add(a.part[c], b.part[c]); });
  }
  static Float mul(Float a, Float b) {
    return each([&](int c) { return wasm_f32x4_mul(a.part[c], b.part[c]); });
  }
  static v128_t madd(v128_t a, v128_t b, v128_t c) {
#if defined(ENM_RELAXED_DOT)
    return wasm_f32x4_relaxed_madd(a, b, c);
#else
    return wasm_f32x4_add(wasm_f32x4_mul(a, b), c);
#endif
  }
  static Float fmadd(Float a, Float b, Float c) {
    return each([&](int i) { return madd(a.part[i], b.part[i], c.part[i]); });
  }
  static Float fnmadd(Float a, Float b, Float c) {
    return each(
        [&](int i) { return wasm_f32x4_sub(c.part[i], wasm_f32x4_mul(a.part[i], b.part[i])); });
  }

  // Column part c of a step: vectors j = 0..3 (and, for 8 bits, 4..7) for all rows. The loop over j
  // stays a loop: unrolled, engines hoist its loads and spill them.
  template <int kBits, bool kSplit, int kRowCount, typename Dot>
  static void column(const uint8_t* quants, const int8_t* a, int64_t stride, Dot* dots) {
#pragma clang loop unroll(disable)
    for (int j = 0; j < 4; ++j) {
      const v128_t first = wasm_v128_load(quants + 64 * j);
#pragma clang loop unroll(full)
      for (int r = 0; r < kRowCount; ++r) {
        const v128_t a_low = four_bytes(a + r * stride + 4 * j);
        const v128_t a_high = four_bytes(a + r * stride + 16 + 4 * j);
        if constexpr (kBits == 4) {
          dots[r].template add<kSplit>(first, a_low, a_high);
        } else {
          dots[r].add(first, wasm_v128_load(quants + 64 * (j + 4)), a_low, a_high);
        }
      }
    }
  }

  template <int kBits, typename Dot>
  static void one_row(const uint8_t* quants, const int8_t* a, Dot* dots, auto split) {
#pragma clang loop unroll(disable)
    for (int j = 0; j < 4; ++j) {
      const v128_t a_low = four_bytes(a + 4 * j);
      const v128_t a_high = four_bytes(a + 16 + 4 * j);
#pragma clang loop unroll(full)
      for (int c = 0; c < 4; ++c) {
        const v128_t first = wasm_v128_load(quants + 64 * j + 16 * c);
        if constexpr (kBits == 4) {
          dots[c].template add<decltype(split)::value>(first, a_low, a_high);
        } else {
          dots[c].add(first, wasm_v128_load(quants + 64 * (j + 4) + 16 * c), a_low, a_high);
        }
      }
    }
  }

  template <int kBits, bool kSplit, typename Dot>
  static void finish(const Dot& dot, v128_t& low, v128_t& high) {
    const Sums sums = dot.sums();
    if constexpr (kSplit) {
      low = wasm_f32x4_convert_i32x4(sums.low);
      high = wasm_f32x4_convert_i32x4(sums.high);
    } else if constexpr (kBits == 4) {
      low = wasm_f32x4_convert_i32x4(sums.low);
    } else {
      low = wasm_f32x4_convert_i32x4(wasm_i32x4_add(sums.low, sums.high));
    }
  }

  template <int kBits, bool kSplit, int kRowCount>
  static void dot(const uint8_t* quants, const int8_t* a, int64_t stride, Float* low, Float* high) {
    using Dot = std::conditional_t<kBits == 4, Dot4, Dot8>;
    if constexpr (kRowCount == 1) {
      Dot dots[4];
      one_row<kBits>(quants, a, dots, std::bool_constant<kSplit>());
      for (int c = 0; c < 4; ++c) finish<kBits, kSplit>(dots[c], low->part[c], high->part[c]);
    } else {
      for (int c = 0; c < 4; ++c) {
        Dot dots[kRowCount];
        column<kBits, kSplit, kRowCount>(quants + 16 * c, a, stride, dots);
        for (int r = 0; r < kRowCount; ++r) {
          finish<kBits, kSplit>(dots[r], low[r].part[c], high[r].part[c]);
        }
      }
    }
  }

  template <int kBits, int kRowCount>
  static void fma_step(const uint8_t* quants, const float* a, int64_t stride, Float* low,
                       Float* high) {
    for (int r = 0; r < kRowCount; ++r) low[r] = high[r] = set1(0.0f);
    const v128_t mask = wasm_i32x4_splat(kBits == 4 ? 15 : 255);
    for (int c = 0; c < 4; ++c) {
      for (int j = 0; j < 4; ++j) {
        v128_t first = wasm_v128_load(quants + 64 * j + 16 * c);
        v128_t second =
            kBits == 4 ? wasm_u32x4_shr(first, 4) : wasm_v128_load(quants + 64 * (j + 4) + 16 * c);
        for (int i = 0; i < 4; ++i) {
          const v128_t w_low = wasm_f32x4_convert_i32x4(wasm_v128_and(first, mask));
          const v128_t w_high = wasm_f32x4_convert_i32x4(wasm_v128_and(second, mask));
          for (int r = 0; r < kRowCount; ++r) {
            const float* x = a + r * stride + 4 * j + i;
            low[r].part[c] = madd(w_low, wasm_f32x4_splat(x[0]), low[r].part[c]);
            high[r].part[c] = madd(w_high, wasm_f32x4_splat(x[16]), high[r].part[c]);
          }
          first = wasm_u32x4_shr(first, 8);
          second = wasm_u32x4_shr(second, 8);
        }
      }
    }
  }
};

#include "enm/kernels/matmul_nbits/tiles.inc"

}  // namespace

extern const MatmulNbitsKernels ENM_VARIANT_NAME(kMatmulNbits) = {nullptr, int8_tiles<Wasm>,
                                                                  float_tiles<Wasm>};

}  // namespace enm::kernels
