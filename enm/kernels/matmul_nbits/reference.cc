// The oracle: one product at a time, in the order of the formula.
#include <algorithm>
#include <cmath>

#include "enm/kernels/matmul_nbits/variants.h"

namespace enm::kernels {
namespace {

void quantize_row(const float* a, int64_t k, int64_t steps, int8_t* quants, float* scales,
                  float* sums) {
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t begin = step * kNbitsStep;
    const int64_t end = std::min(begin + kNbitsStep, k);
    float largest = 0;
    for (int64_t i = begin; i < end; ++i) largest = std::max(largest, std::fabs(a[i]));
    const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
    scales[step] = largest / 127.0f;
    sums[2 * step] = sums[2 * step + 1] = 0;
    for (int64_t i = begin; i < begin + kNbitsStep; ++i) {
      const float quant = i < end ? std::nearbyint(a[i] * inverse) : 0.0f;
      quants[i] = static_cast<int8_t>(quant);
      sums[i / 16] += quant;
    }
  }
}

// q[n, k] of the packed bytes.
int quant_at(const NbitsShape& shape, const uint8_t* tile, int64_t c, int64_t k) {
  const int64_t within = shape.bits == 4 ? k % 16 : k % kNbitsStep;
  const uint8_t byte = tile[k / kNbitsStep * (shape.tile_bytes() / shape.steps()) +
                            within / 4 * 64 + c * 4 + within % 4];
  return shape.bits == 8 ? byte : k % kNbitsStep < 16 ? byte & 15 : byte >> 4;
}

// `dot(row, tile, c, k16)` is the sum of 16 products from position 16 k16, `scale(row, k16)` what
// the activations there are multiplied by.
template <typename Dot, typename Scale>
void tiles(const NbitsArgs& args, const NbitsActivations& activations, int64_t tile_begin,
           int64_t tile_end, Dot dot, Scale scale) {
  const PackedNbits& weight = *args.weight;
  const NbitsShape& shape = weight.shape;
  const int64_t halves = shape.blocks() * shape.block / 16;
  for (int64_t n = tile_begin * kNbitsTile; n < std::min(tile_end * kNbitsTile, shape.n); ++n) {
    const int64_t tile = n / kNbitsTile;
    for (int64_t row = 0; row < args.m; ++row) {
      const float* sums = activations.sums + row * shape.steps() * 2;
      float total = 0;
      for (int64_t half = 0; half < halves; ++half) {
        const int64_t at =
            (tile * shape.blocks() + half * 16 / shape.block) * kNbitsTile + n % kNbitsTile;
        const float product =
            dot(row, weight.quants + tile * shape.tile_bytes(), n % kNbitsTile, half);
        total += (product - zero_point_at(weight, at) * sums[half]) *
                 (scale_at(weight, at) * scale(row, half));
      }
      args.y[row * args.ldy + n] = total + (args.bias != nullptr ? args.bias[n] : 0.0f);
    }
  }
}

void int8_tiles(const NbitsArgs& args, const NbitsActivations& activations, int64_t tile_begin,
                int64_t tile_end) {
  const NbitsShape& shape = args.weight->shape;
  const int64_t width = shape.steps() * kNbitsStep;
  const auto dot = [&](int64_t row, const uint8_t* tile, int64_t c, int64_t half) {
    int sum = 0;
    for (int64_t k = half * 16; k < half * 16 + 16; ++k) {
      sum += quant_at(shape, tile, c, k) * activations.quants[row * width + k];
    }
    return static_cast<float>(sum);
  };
  const auto scale = [&](int64_t row, int64_t half) {
    return activations.scales[row * shape.steps() + half / 2];
  };
  tiles(args, activations, tile_begin, tile_end, dot, scale);
}

void float_tiles(const NbitsArgs& args, const NbitsActivations& activations, int64_t tile_begin,
                 int64_t tile_end) {
  const NbitsShape& shape = args.weight->shape;
  const int64_t width = shape.steps() * kNbitsStep;
  const auto dot = [&](int64_t row, const uint8_t* tile, int64_t c, int64_t half) {
    float sum = 0;
    for (int64_t k = half * 16; k < half * 16 + 16; ++k) {
      sum += static_cast<float>(quant_at(shape, tile, c, k)) * activations.floats[row * width + k];
    }
    return sum;
  };
  tiles(args, activations, tile_begin, tile_end, dot, [](int64_t, int64_t) { return 1.0f; });
}

}  // namespace

const MatmulNbitsKernels kMatmulNbitsScalar = {quantize_row, int8_tiles, float_tiles};

}  // namespace enm::kernels
