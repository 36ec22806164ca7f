#include "enm/passes/pass.h"

#include <array>

#include "enm/graph/verify.h"
#include "enm/ops/check.h"

namespace enm::passes {

std::span<const Pass* const> standard_passes() {
  static constexpr std::array<const Pass*, 2> kStandard = {&kConstantFolding, &kDeadCode};
  return kStandard;
}

std::span<const Pass* const> runtime_passes() {
  static constexpr std::array<const Pass*, 4> kRuntime = {&kWidenHalves, &kFuseIntegerProduct,
                                                          &kFuseBlockRows, &kDeadCode};
  return kRuntime;
}

Result<std::vector<PassReport>> run_passes(graph::Graph& graph,
                                           std::span<const Pass* const> passes) {
  std::vector<PassReport> reports;
  ENM_RETURN_IF_ERROR(graph::verify(graph));
  ENM_RETURN_IF_ERROR(ops::check_graph(graph));
  for (const Pass* pass : passes) {
    PassReport report{pass->name, 0, graph.nodes.size(), 0};
    const auto rewrites = pass->run(graph);
    if (!rewrites.ok()) return rewrites.status().in(cat("[passes] ", pass->name));
    ENM_RETURN_IF_ERROR(graph::verify(graph).in(cat("[passes] after ", pass->name)));
    report.rewrites = *rewrites;
    report.nodes_after = graph.nodes.size();
    reports.push_back(report);
  }
  return reports;
}

}  // namespace enm::passes
