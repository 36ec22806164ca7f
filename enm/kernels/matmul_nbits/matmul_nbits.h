// Y = A dequant(W)^T + bias for weights of 4 or 8 bits in blocks along k:
// com.microsoft.MatMulNBits.
//   dequant(w)[n, k] = (q[n, k] - zero_point[n, k / block]) * scale[n, k / block]
// Source: ONNX Runtime, docs/ContribOperators.md.
//
// Two ways to multiply, as the operator's accuracy_level asks:
//   kFloat  activations stay float; weights become floats in registers.
//   kInt8   each 32 activations of a row become int8 with one scale (max |a| / 127); products are
//           exact integers, scaled once a block.
//
// Packed layout, one for every instruction set. Columns (n) in tiles of 16, k in steps of 32:
//
//   quants, 4 bits  [n / 16][k / 32][256 B]   vector j (64 B, j = 0..3), column c, byte i:
//                                             low nibble k = 4 j + i, high nibble k = 16 + 4 j + i
//   quants, 8 bits  [n / 16][k / 32][512 B]   vector j (64 B, j = 0..7), column c, byte i:
//                                             k = 4 j + i
//   scales          [n / 16][k / block][16]   f16 if every scale is exactly one, else f32
//   zero points     [n / 16][k / block][16]   u8 or f32; absent where all are the middle (8 or 128)
//
// A column's 4 bytes are one 32-bit lane, so integer dots need no horizontal sum. Columns and k
// beyond the matrix are padded with scale 0.
#pragma once

#include <cstddef>
#include <cstdint>

#include "enm/base/cpu.h"
#include "enm/base/threads.h"
#include "enm/kernels/matmul_nbits/block_format.h"

namespace enm::kernels {

inline constexpr int64_t kNbitsTile = 16;  // columns of a tile
inline constexpr int64_t kNbitsStep = 32;  // k of a step

/// A weight [n, k] in blocks.
struct NbitsShape : BlockFormat {
  int64_t n = 0;
  int64_t k = 0;

  NbitsShape() = default;
  NbitsShape(const BlockFormat& format, int64_t rows, int64_t columns)
      : BlockFormat(format), n(rows), k(columns) {}

  int64_t tiles() const { return (n + kNbitsTile - 1) / kNbitsTile; }
  int64_t blocks() const { return blocks_of(k); }
  int64_t steps() const { return (blocks() * block + kNbitsStep - 1) / kNbitsStep; }
  int64_t tile_bytes() const { return steps() * kNbitsStep * kNbitsTile * bits / 8; }
  uint64_t quant_bytes() const { return static_cast<uint64_t>(tiles() * tile_bytes()); }
  uint64_t scale_count() const { return static_cast<uint64_t>(tiles() * blocks() * kNbitsTile); }
  uint64_t scale_bytes() const { return scale_count() * (half_scales() ? 2 : 4); }
  uint64_t zero_point_bytes() const {
    return has_zero_points() ? scale_count() * (float_zero_points() ? 4 : 1) : 0;
  }
};

/// A packed weight; the caller owns the memory. quants are 64-byte aligned.
struct PackedNbits {
  NbitsShape shape;
  const uint8_t* quants = nullptr;
  const void* scales = nullptr;
  const void* zero_points = nullptr;
};

/// The operator's own inputs: quants u8 [n, blocks, block * bits / 8], low nibble first; scales f32
/// [n, blocks]; zero_points u8 [n, ceil(blocks * bits / 8)], f32 [n, blocks] or null.
struct NbitsSource {
  const uint8_t* quants = nullptr;
  const float* scales = nullptr;
  const void* zero_points = nullptr;
};

/// True if every one of the scales survives a round trip through f16.
bool scales_are_half(const float* scales, int64_t count);

/// Packs the tiles [tile_begin, tile_end) into the three arrays of the whole matrix.
void pack_nbits(const NbitsShape& shape, const NbitsSource& source, int64_t tile_begin,
                int64_t tile_end, uint8_t* quants, void* scales, void* zero_points);

/// Number `at` of the packed scales, of the packed zero points.
float scale_at(const PackedNbits& weight, int64_t at);
float zero_point_at(const PackedNbits& weight, int64_t at);

/// Row `n` of the dequantized weight, k floats.
void dequantize_nbits_row(const PackedNbits& weight, int64_t n, float* out);

enum class NbitsMode { kFloat, kInt8 };

struct NbitsArgs {
  const PackedNbits* weight = nullptr;
  const float* a = nullptr;     // [m, k], rows lda apart
  float* y = nullptr;           // [m, n], rows ldy apart; must not overlap a
  const float* bias = nullptr;  // [n] or null
  int64_t m = 0;
  int64_t lda = 0;
  int64_t ldy = 0;
  NbitsMode mode = NbitsMode::kInt8;
  uint8_t* scratch = nullptr;  // nbits_scratch_bytes, 64-byte aligned
};

/// Activations of one call as the tile kernels read them. Rows are padded to whole steps with
/// zeros.
struct NbitsActivations {
  const float* floats = nullptr;   // kFloat: [m][steps * 32]
  const int8_t* quants = nullptr;  // kInt8:  [m][steps * 32]
  const float* scales = nullptr;   // kInt8:  [m][steps]
  const float* sums = nullptr;     // [m][steps * 2]: of each 16 values, integers in kInt8
};

struct MatmulNbitsKernels {
  /// Prepares one row of k activations, padded to `steps` steps.
  void (*quantize_row)(const float* a, int64_t k, int64_t steps, int8_t* quants, float* scales,
                       float* sums);
  /// y[0..m) for the columns of tiles [tile_begin, tile_end).
  void (*int8_tiles)(const NbitsArgs& args, const NbitsActivations& activations, int64_t tile_begin,
                     int64_t tile_end);
  void (*float_tiles)(const NbitsArgs& args, const NbitsActivations& activations,
                      int64_t tile_begin, int64_t tile_end);
};

const MatmulNbitsKernels& matmul_nbits_kernels(Isa isa);

uint64_t nbits_scratch_bytes(const NbitsShape& shape, int64_t m);

/// The whole product, tiles spread over the pool. The same bits whatever the number of threads.
void matmul_nbits(const MatmulNbitsKernels& kernels, ThreadPool& pool, const NbitsArgs& args);

}  // namespace enm::kernels
