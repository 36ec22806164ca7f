// GPTQ: rounding column by column, the later ones making up for what the earlier ones cost. Source:
// arXiv 2210.17323, in the form that statistics.h describes.
#pragma once

#include "enm/quantize/method.h"
#include "enm/quantize/statistics.h"

namespace enm::quantize {

class Gptq final : public Method {
 public:
  /// With `grids_first` each block's grid is chosen for the weights as they are; otherwise when its
  /// turn comes, for what they are to be by then, which needs blocks whose columns lie together in
  /// the factor's order.
  explicit Gptq(bool grids_first) : grids_first_(grids_first) {}

  std::string_view name() const override { return "GPTQ"; }
  /// The statistics have been factorized. Rows do not depend on each other.
  Status solve(const Problem& problem, Solution& out) const override;

 private:
  const bool grids_first_;
};

/// Each weight to the nearest point of its block's grid, the grid that costs least where a column's
/// error weighs as its inputs' energy. What AWQ leaves to do. The statistics have been factorized.
const Method& weighted_rounding();

/// tr(D (H + damping) D^T) of differences or weights [rows, columns], by the factor of H.
double output_energy(const Statistics& statistics, const float* differences, int64_t rows);

}  // namespace enm::quantize
