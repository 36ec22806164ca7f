// Rewrites that keep a graph's meaning. One pass, one file, one name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/graph/graph.h"

namespace enm::passes {

struct Pass {
  std::string_view name;
  /// Rewrites the graph; returns how many rewrites it made. A second run makes none.
  Result<int> (*run)(graph::Graph& graph);
};

extern const Pass kConstantFolding;
extern const Pass kDeadCode;
extern const Pass kFuseBlockRows;
extern const Pass kFuseIntegerProduct;
extern const Pass kWidenHalves;

/// What import and load always run, in order.
std::span<const Pass* const> standard_passes();

/// What our runtime runs besides: the results are operators that other runtimes may not have.
std::span<const Pass* const> runtime_passes();

struct PassReport {
  std::string_view name;
  int rewrites = 0;
  size_t nodes_before = 0;
  size_t nodes_after = 0;
};

/// Verifies the graph, then runs the passes in order and verifies after each. Failures name the
/// pass.
Result<std::vector<PassReport>> run_passes(graph::Graph& graph,
                                           std::span<const Pass* const> passes);

}  // namespace enm::passes
