// Y = (A - a_zero) (W - zeros) for unsigned bytes A and signed bytes W, summed in 32 bits:
// MatMulInteger, and its forms that end in floats.
//
// Packed layout, one for every instruction set: columns (n) in tiles of 16, k in steps of 4
//
//   quants  [n / 16][k / 4][16][4]   i8; column c's 4 bytes are one 32-bit lane, which is what
//                                    vpdpbusd adds up; zeros beyond n and k
//   sums    [n / 16][16]             i32; of each column, which a_zero is multiplied by
//   zeros   [n / 16][16]             i32; absent where all are 0
//
// All sums are exact, modulo 2^32: no instruction set may saturate pairs in 16 bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "enm/base/cpu.h"
#include "enm/base/threads.h"

namespace enm::kernels {

inline constexpr int64_t kInt8Tile = 16;  // columns of a tile
inline constexpr int64_t kInt8Step = 4;   // k of a lane

inline int64_t int8_tiles(int64_t n) { return (n + kInt8Tile - 1) / kInt8Tile; }
inline int64_t int8_tile_bytes(int64_t k) {
  return (k + kInt8Step - 1) / kInt8Step * kInt8Step * kInt8Tile;
}

/// A packed weight; the caller owns the memory, 64-byte aligned.
struct PackedInt8 {
  int64_t n = 0;
  int64_t k = 0;
  int8_t* quants = nullptr;  // int8_tiles(n) * int8_tile_bytes(k)
  int32_t* sums = nullptr;   // int8_tiles(n) * 16
  int32_t* zeros = nullptr;  // the same, or null

  int64_t tiles() const { return int8_tiles(n); }
  int64_t padded_n() const { return tiles() * kInt8Tile; }
};

/// B as the operator has it: [k, n] bytes, signed or not. Unsigned ones are moved down by 128, the
/// zero points (one, or n; or none) with them. zeros must have room unless `b` is signed and there
/// are no zero points.
struct Int8Source {
  const uint8_t* b = nullptr;
  bool is_signed = true;
  const uint8_t* zeros = nullptr;
  int64_t zero_count = 0;  // 0, 1 or n
};

void pack_int8(const Int8Source& source, int64_t tile_begin, int64_t tile_end,
               const PackedInt8& packed);

struct MatmulInt8Args {
  PackedInt8 weight;
  const uint8_t* a = nullptr;  // [m, k], dense
  int64_t m = 0;
  int32_t a_zero = 0;
  int32_t* row_sums = nullptr;    // room for m where the weight has zeros
  int32_t* sums = nullptr;        // [m, n]: the result as it is, or
  float* y = nullptr;             // [m, n]: the result times scales[n], plus bias[n]
  const float* scales = nullptr;  // [padded n]
  const float* bias = nullptr;    // [n] or null
};

struct MatmulInt8Kernels {
  /// Rows [row_begin, row_end) of the columns of one tile.
  void (*tile)(const MatmulInt8Args& args, int64_t tile, int64_t row_begin, int64_t row_end);
};

const MatmulInt8Kernels& matmul_int8_kernels(Isa isa);

/// The whole product, spread over the pool. The same bits whatever the number of threads or the
/// instruction set, but for a fused multiply-add of scale and bias.
void matmul_int8(const MatmulInt8Kernels& kernels, ThreadPool& pool, const MatmulInt8Args& args);

}  // namespace enm::kernels
