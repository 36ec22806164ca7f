// AWQ: columns whose inputs are large are scaled up before rounding, and their inputs down. Source:
// arXiv 2306.00978.
#pragma once

#include "enm/quantize/fold.h"
#include "enm/quantize/plan.h"
#include "enm/quantize/stage_run.h"

namespace enm::quantize {

/// Where a search runs: a stage of a graph on some batches.
struct StageScene {
  const graph::Graph& graph;
  const graph::ModelDescription& description;
  const Stage& stage;
  const Windows& windows;
  std::span<const Batch> batches;
  const Activations* handed;  // null for the first stage
  const Machine& machine;
};

/// s = m^r / sqrt(max m^r * min m^r) of the inputs' mean magnitudes m, for the r of 0, 0.05, ...
/// 0.95 whose rounded products change the stage's outputs least. `rows` are the plan's for
/// place.products. Empty where r = 0 is best.
Result<std::vector<float>> search_scales(const StageScene& scene, const FoldPlace& place,
                                         const std::vector<double>& magnitudes,
                                         const std::vector<const PlanRow*>& rows);

}  // namespace enm::quantize
