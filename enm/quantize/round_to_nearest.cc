#include <cmath>
#include <vector>

#include "enm/quantize/method.h"

namespace enm::quantize {
namespace {

class RoundToNearest final : public Method {
 public:
  std::string_view name() const override { return "RTN"; }

  Status solve(const Problem& problem, Solution& out) const override {
    const BlockFormat& format = problem.format;
    const int64_t columns = problem.columns;
    std::vector<float> rounded(static_cast<size_t>(columns));
    for (int64_t row = 0; row < problem.rows; ++row) {
      const float* weights = problem.weights + row * columns;
      float* scales = out.scales + row * format.blocks_of(columns);
      uint8_t* zeros = out.zero_points == nullptr
                           ? nullptr
                           : out.zero_points + row * format.row_zero_point_bytes(columns);
      uint8_t* quants = out.quants + row * format.row_bytes(columns);
      choose_grids(format, columns, weights, scales, zeros);
      round_row(format, columns, weights, scales, zeros, quants);
      dequantize_row(format, columns, quants, scales, zeros, rounded.data());
      for (int64_t i = 0; i < columns; ++i) {
        const double difference = static_cast<double>(rounded[static_cast<size_t>(i)]) - weights[i];
        out.error += difference * difference;
        out.norm += static_cast<double>(weights[i]) * weights[i];
      }
    }
    if (std::isfinite(out.norm)) return {};
    return Corrupt("weights are infinite or no numbers");
  }
};

}  // namespace

const Method& round_to_nearest() {
  static const RoundToNearest method;
  return method;
}

}  // namespace enm::quantize
