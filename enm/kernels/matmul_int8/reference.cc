// The oracle: one product at a time.
#include "enm/kernels/matmul_int8/variants.h"

namespace enm::kernels {
namespace {

#include "enm/kernels/matmul_int8/tiles.inc"

struct Scalar {
  static constexpr int kRows = 1;

  template <int kRowCount>
  static void dot(const int8_t* quants, int64_t k, const uint8_t* a, int32_t (*sums)[kInt8Tile]) {
    for (int64_t c = 0; c < kInt8Tile; ++c) {
      uint32_t sum = 0;
      for (int64_t i = 0; i < k; ++i) {
        sum += static_cast<uint32_t>(quants[i / kInt8Step * 64 + c * kInt8Step + i % kInt8Step] *
                                     a[i]);
      }
      sums[0][c] = static_cast<int32_t>(sum);
    }
  }
};

}  // namespace

const MatmulInt8Kernels kMatmulInt8Scalar = {tile_rows<Scalar>};

}  // namespace enm::kernels
