// A method of quantization: rows of a weight, and what calibration saw of the inputs that they are
// multiplied with, become a solution in the weight's format.
#pragma once

#include <string_view>

#include "enm/base/status.h"
#include "enm/quantize/blocks.h"

namespace enm::quantize {

class Statistics;

/// Some rows [rows, columns] of a weight and the format that they are to have.
struct Problem {
  BlockFormat format;
  int64_t rows = 0;
  int64_t columns = 0;
  const float* weights = nullptr;
  const Statistics* statistics = nullptr;  // of the product's inputs; null without calibration
};

/// Where the blocks go, in the layout that the format describes, and what they cost.
struct Solution {
  uint8_t* quants = nullptr;
  float* scales = nullptr;
  uint8_t* zero_points = nullptr;  // null where the format has none
  /// Squared differences, and squares of the weights themselves: of the product's outputs on the
  /// calibration data for a method that knows them, of weights for one that does not.
  double error = 0;
  double norm = 0;
};

class Method {
 public:
  virtual ~Method() = default;
  virtual std::string_view name() const = 0;
  /// Adds to the solution's error and norm.
  virtual Status solve(const Problem& problem, Solution& out) const = 0;
};

/// Each weight to the nearest point of its block's grid: grids of choose_grids(). Needs no
/// statistics.
const Method& round_to_nearest();

}  // namespace enm::quantize
