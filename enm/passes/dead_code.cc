// Before:   nodes whose outputs nobody reads; constants nobody reads.
// After:    they are gone.
// Not when: an output is a graph output. Graph inputs stay: they are the model's interface.
#include <algorithm>

#include "enm/passes/pass.h"

namespace enm::passes {
namespace {

Result<int> run(graph::Graph& graph) {
  std::vector<bool> used(graph.value_count(), false);
  const auto mark = [&](graph::ValueId id) {
    if (id != graph::kNoValue) used[static_cast<size_t>(id)] = true;
  };
  std::for_each(graph.outputs.begin(), graph.outputs.end(), mark);
  std::vector<graph::Node> kept;
  // From the last node to the first: a node's users have all been seen before it.
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool needed = std::any_of(
        node->outputs.begin(), node->outputs.end(),
        [&](graph::ValueId id) { return id != graph::kNoValue && used[static_cast<size_t>(id)]; });
    if (!needed) continue;
    std::for_each(node->inputs.begin(), node->inputs.end(), mark);
    kept.push_back(std::move(*node));
  }
  int removed = static_cast<int>(graph.nodes.size() - kept.size());
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  for (size_t id = 0; id < used.size(); ++id) {
    graph::Value& value = graph.value(static_cast<graph::ValueId>(id));
    if (used[id] || !value.initializer) continue;
    value.initializer.reset();
    ++removed;
  }
  return removed;
}

}  // namespace

const Pass kDeadCode = {"dead_code", run};

}  // namespace enm::passes
