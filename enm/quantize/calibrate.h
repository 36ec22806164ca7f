// Solving a plan with what the model computes on a text: stage by stage, each with the quantized
// weights of those before it, never the whole model in floats.
#pragma once

#include "enm/quantize/plan.h"
#include "enm/quantize/stage_run.h"

namespace enm::quantize {

struct CalibrationOptions {
  std::string folder;  // for what journal.h keeps; a killed calibration goes on from there
  ColumnOrder order = ColumnOrder::kBlocksByEnergy;
  double damping = 0.01;  // of the mean of the Hessian's diagonal
  /// Told how much is done; an error stops the calibration.
  std::function<Status(int64_t done, int64_t total)> progress;
};

struct Calibrated {
  Solved solved;
  int stages_resumed = 0;
};

/// Solves the rows of the plan whose method wants statistics; AWQ's scales go into
/// the graph. Where a method fails on a weight's
/// statistics it is rounded to nearest, and its row of the plan says why. The same inputs give the
/// same bytes, however often it was killed, on one machine.
Result<Calibrated> calibrate(graph::Graph& graph, const graph::ModelDescription& description,
                             Plan& plan, const Windows& windows, const CalibrationOptions& options,
                             const Machine& machine);

}  // namespace enm::quantize
