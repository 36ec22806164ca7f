#include <cmath>
#include <cstring>
#include <vector>

#include "enm/kernels/error_feedback/error_feedback.h"
#include "enm/quantize/gptq.h"

namespace enm::quantize {
namespace {

constexpr int64_t kLanes = 16;

// Each block's grid is the one that costs least, a column's error weighing as much as its inputs'
// energy; AWQ's search for clips, for every block.
class WeightedRounding final : public Method {
 public:
  std::string_view name() const override { return "AWQ"; }

  Status solve(const Problem& problem, Solution& out) const override {
    const BlockFormat& format = problem.format;
    const int64_t columns = problem.columns;
    const Statistics& statistics = *problem.statistics;
    const double norm = output_energy(statistics, problem.weights, problem.rows);
    if (!std::isfinite(norm)) return Corrupt("weights are infinite or no numbers");
    std::vector<float> differences(static_cast<size_t>(problem.rows * columns));
    const auto panels = (problem.rows + kLanes - 1) / kLanes;
    statistics.machine().pool.parallel_for(panels, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t p = begin; p < end; ++p) {
        const int64_t first = p * kLanes;
        choose_grids(problem, first, std::min(kLanes, problem.rows - first), out);
      }
    });
    for (int64_t r = 0; r < problem.rows; ++r) {
      const float* row = problem.weights + r * columns;
      const float* scales = out.scales + r * format.blocks_of(columns);
      const uint8_t* zeros = out.zero_points == nullptr
                                 ? nullptr
                                 : out.zero_points + r * format.row_zero_point_bytes(columns);
      uint8_t* quants = out.quants + r * format.row_bytes(columns);
      float* difference = differences.data() + r * columns;
      round_row(format, columns, row, scales, zeros, quants);
      dequantize_row(format, columns, quants, scales, zeros, difference);
      for (int64_t c = 0; c < columns; ++c) difference[c] -= row[c];
    }
    out.error += output_energy(statistics, differences.data(), problem.rows);
    out.norm += norm;
    return {};
  }

 private:
  static void choose_grids(const Problem& problem, int64_t first, int64_t rows, Solution& out) {
    const BlockFormat& format = problem.format;
    const auto& kernels = kernels::error_feedback_kernels(problem.statistics->machine().isa);
    const int64_t blocks = format.blocks_of(problem.columns);
    float values[kernels::kMostGroup * kLanes] = {};
    float weights[kernels::kMostGroup];
    float scales[kLanes], zeros[kLanes];
    for (int64_t r = 0; r < rows && out.zero_points != nullptr; ++r) {
      const int64_t bytes = format.row_zero_point_bytes(problem.columns);
      std::memset(out.zero_points + (first + r) * bytes, 0, static_cast<size_t>(bytes));
    }
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t begin = b * format.block;
      const int64_t count = std::min(format.block, problem.columns - begin);
      for (int64_t c = 0; c < count; ++c) {
        weights[c] = problem.statistics->energy(begin + c);
        for (int64_t r = 0; r < rows; ++r) {
          values[c * kLanes + r] = problem.weights[(first + r) * problem.columns + begin + c];
        }
      }
      kernels.choose(values, weights, count, 1 << format.bits, !format.has_zero_points(), scales,
                     zeros);
      for (int64_t r = 0; r < rows; ++r) {
        out.scales[(first + r) * blocks + b] = scales[r];
        if (out.zero_points == nullptr) continue;
        put_bits(out.zero_points + (first + r) * format.row_zero_point_bytes(problem.columns),
                 format.bits, b, static_cast<int>(zeros[r]));
      }
    }
  }
};

}  // namespace

const Method& weighted_rounding() {
  static const WeightedRounding method;
  return method;
}

}  // namespace enm::quantize
