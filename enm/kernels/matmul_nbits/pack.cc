#include <cstring>

#include "enm/base/half.h"
#include "enm/kernels/matmul_nbits/matmul_nbits.h"

namespace enm::kernels {
namespace {

// The value of the operator's layout at row n, position k (k < blocks * block).
int source_quant(const NbitsShape& shape, const uint8_t* quants, int64_t n, int64_t k) {
  const int64_t row_bytes = shape.blocks() * shape.block * shape.bits / 8;
  if (shape.bits == 8) return quants[n * row_bytes + k];
  const uint8_t byte = quants[n * row_bytes + k / 2];
  return k % 2 == 0 ? byte & 15 : byte >> 4;
}

uint8_t source_zero_point(const NbitsShape& shape, const void* zero_points, int64_t n, int64_t b) {
  const auto* bytes = static_cast<const uint8_t*>(zero_points);
  if (shape.bits == 8) return bytes[n * shape.blocks() + b];
  const uint8_t byte = bytes[n * ((shape.blocks() + 1) / 2) + b / 2];
  return b % 2 == 0 ? byte & 15 : byte >> 4;
}

// Where column c's value k of a step stands in the step's bytes, and whether in the high half.
int64_t byte_of(int bits, int64_t c, int64_t k) {
  const int64_t within = bits == 4 ? k % 16 : k;
  return within / 4 * 64 + c * 4 + within % 4;
}

void pack_quants(const NbitsShape& shape, const uint8_t* source, int64_t tile, uint8_t* out) {
  const int64_t step_bytes = kNbitsStep * kNbitsTile * shape.bits / 8;
  const int64_t padded = shape.blocks() * shape.block;
  std::memset(out, 0, static_cast<size_t>(shape.tile_bytes()));
  for (int64_t c = 0; c < kNbitsTile; ++c) {
    const int64_t n = tile * kNbitsTile + c;
    if (n >= shape.n) break;
    for (int64_t k = 0; k < padded; ++k) {
      uint8_t* step = out + k / kNbitsStep * step_bytes;
      const int value = source_quant(shape, source, n, k);
      const int shift = shape.bits == 4 && k % kNbitsStep >= 16 ? 4 : 0;
      step[byte_of(shape.bits, c, k % kNbitsStep)] |= static_cast<uint8_t>(value << shift);
    }
  }
}

}  // namespace

bool scales_are_half(const float* scales, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (half_to_float(float_to_half(scales[i])) != scales[i]) return false;
  }
  return true;
}

void pack_nbits(const NbitsShape& shape, const NbitsSource& source, int64_t tile_begin,
                int64_t tile_end, uint8_t* quants, void* scales, void* zero_points) {
  const int64_t blocks = shape.blocks();
  for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
    pack_quants(shape, source.quants, tile, quants + tile * shape.tile_bytes());
    for (int64_t b = 0; b < blocks; ++b) {
      for (int64_t c = 0; c < kNbitsTile; ++c) {
        const int64_t n = tile * kNbitsTile + c;
        const int64_t at = (tile * blocks + b) * kNbitsTile + c;
        const float scale = n < shape.n ? source.scales[n * blocks + b] : 0.0f;
        if (shape.half_scales()) {
          static_cast<uint16_t*>(scales)[at] = float_to_half(scale);
        } else {
          static_cast<float*>(scales)[at] = scale;
        }
        if (shape.float_zero_points()) {
          static_cast<float*>(zero_points)[at] =
              n < shape.n ? static_cast<const float*>(source.zero_points)[n * blocks + b] : 0.0f;
        } else if (shape.has_zero_points()) {
          static_cast<uint8_t*>(zero_points)[at] =
              n < shape.n ? source_zero_point(shape, source.zero_points, n, b) : uint8_t{0};
        }
      }
    }
  }
}

float scale_at(const PackedNbits& weight, int64_t at) {
  return weight.shape.half_scales() ? half_to_float(static_cast<const uint16_t*>(weight.scales)[at])
                                    : static_cast<const float*>(weight.scales)[at];
}

float zero_point_at(const PackedNbits& weight, int64_t at) {
  const NbitsShape& shape = weight.shape;
  if (shape.float_zero_points()) return static_cast<const float*>(weight.zero_points)[at];
  return static_cast<float>(shape.has_zero_points()
                                ? static_cast<const uint8_t*>(weight.zero_points)[at]
                                : shape.middle());
}

void dequantize_nbits_row(const PackedNbits& weight, int64_t n, float* out) {
  const NbitsShape& shape = weight.shape;
  const int64_t tile = n / kNbitsTile;
  const int64_t c = n % kNbitsTile;
  const uint8_t* quants = weight.quants + tile * shape.tile_bytes();
  const int64_t step_bytes = kNbitsStep * kNbitsTile * shape.bits / 8;
  for (int64_t k = 0; k < shape.k; ++k) {
    const int64_t at = (tile * shape.blocks() + k / shape.block) * kNbitsTile + c;
    const float scale = scale_at(weight, at);
    const float zero = zero_point_at(weight, at);
    const uint8_t byte =
        quants[k / kNbitsStep * step_bytes + byte_of(shape.bits, c, k % kNbitsStep)];
    const int quant = shape.bits == 8 ? byte : k % kNbitsStep < 16 ? byte & 15 : byte >> 4;
    out[k] = (static_cast<float>(quant) - zero) * scale;
  }
}

}  // namespace enm::kernels
