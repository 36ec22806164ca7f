// Even and odd bytes widened to 16 bits where they stand, multiplied by i32x4.dot_i16x8. Relaxed
// SIMD runs the same code: its dot takes 7 bits of the activations' 8, so that each product would
// become two, one a nibble, and as many instructions.
#include <wasm_simd128.h>

#include "enm/kernels/matmul_int8/variants.h"

namespace enm::kernels {
namespace {

#include "enm/kernels/matmul_int8/tiles.inc"

struct Wasm {
  static constexpr int kRows = 4;
  static constexpr int kQuads = 2;  // of 4 columns, at a time: 8 sums fit x86's 16 registers

  template <int kRowCount>
  static void step(const int8_t* quants, const uint32_t* x, v128_t (*acc)[kQuads]) {
    v128_t x_even[kRowCount];
    v128_t x_odd[kRowCount];
    for (int r = 0; r < kRowCount; ++r) {
      const v128_t all = wasm_u32x4_splat(x[r]);
      x_even[r] = wasm_v128_and(all, wasm_i16x8_splat(0x00ff));
      x_odd[r] = wasm_u16x8_shr(all, 8);
    }
    for (int q = 0; q < kQuads; ++q) {
      const v128_t w = wasm_v128_load(quants + 16 * q);
      const v128_t w_even = wasm_i16x8_shr(wasm_i16x8_shl(w, 8), 8);
      const v128_t w_odd = wasm_i16x8_shr(w, 8);
      for (int r = 0; r < kRowCount; ++r) {
        acc[r][q] = wasm_i32x4_add(acc[r][q], wasm_i32x4_dot_i16x8(w_even, x_even[r]));
        acc[r][q] = wasm_i32x4_add(acc[r][q], wasm_i32x4_dot_i16x8(w_odd, x_odd[r]));
      }
    }
  }

  template <int kRowCount>
  static void dot(const int8_t* quants, int64_t k, const uint8_t* a, int32_t (*sums)[kInt8Tile]) {
    for (int64_t c = 0; c < kInt8Tile; c += 4 * kQuads) {
      v128_t acc[kRowCount][kQuads] = {};
      const int8_t* w = quants + c * kInt8Step;
      uint32_t x[kRowCount];
      int64_t i = 0;
      for (; i + kInt8Step <= k; i += kInt8Step, w += 64) {
        for (int r = 0; r < kRowCount; ++r) x[r] = four_bytes(a + r * k + i, 4);
        step<kRowCount>(w, x, acc);
      }
      if (i < k) {
        for (int r = 0; r < kRowCount; ++r) x[r] = four_bytes(a + r * k + i, k - i);
        step<kRowCount>(w, x, acc);
      }
      for (int r = 0; r < kRowCount; ++r) {
        for (int q = 0; q < kQuads; ++q) wasm_v128_store(sums[r] + c + 4 * q, acc[r][q]);
      }
    }
  }
};

}  // namespace

const MatmulInt8Kernels kMatmulInt8Simd128 = {tile_rows<Wasm>};

}  // namespace enm::kernels
