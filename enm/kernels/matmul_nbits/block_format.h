// A weight's low-bit format: what quantizers make and kernels read.
#pragma once

#include <cstdint>

namespace enm::kernels {

/// Each row (an output of the product) is cut into blocks along k that share a scale and perhaps a
/// zero point: w = (q - zero_point) * scale. The last block is padded with the zero point.
struct BlockFormat {
  enum class ZeroPoints : uint8_t {
    kNone,     // the middle of the range, 2^(bits - 1), for all
    kInteger,  // one of `bits` bits a block
    kFloat,    // an f32 a block
  };
  enum class Scales : uint8_t { kF32, kF16 };

  int bits = 4;        // kernels exist for 4 and 8
  int64_t block = 32;  // 16, 32, 64, 128 or 256
  ZeroPoints zero_points = ZeroPoints::kNone;
  Scales scales = Scales::kF16;  // kF16 where every scale is a half exactly

  bool has_zero_points() const { return zero_points != ZeroPoints::kNone; }
  bool float_zero_points() const { return zero_points == ZeroPoints::kFloat; }
  bool half_scales() const { return scales == Scales::kF16; }
  int middle() const { return 1 << (bits - 1); }

  // The layout of com.microsoft.MatMulNBits, of a row of k weights: quants [blocks, block], two
  // 4-bit ones a byte, the first in the low half; scales [blocks]; zero points [blocks],
  // integers packed as the quants, a row rounded up to whole bytes.
  int64_t blocks_of(int64_t k) const { return (k + block - 1) / block; }
  int64_t row_bytes(int64_t k) const { return blocks_of(k) * block * bits / 8; }
  int64_t row_zero_point_bytes(int64_t k) const {
    return (blocks_of(k) * (float_zero_points() ? 32 : bits) + 7) / 8;
  }
};

}  // namespace enm::kernels
