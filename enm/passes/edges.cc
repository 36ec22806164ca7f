#include "enm/passes/edges.h"

namespace enm::passes {

Edges::Edges(const graph::Graph& graph)
    : maker_(graph.value_count(), -1),
      reader_(graph.value_count(), -1),
      readers_(graph.value_count(), 0) {
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    for (graph::ValueId id : graph.nodes[n].inputs) {
      if (id == graph::kNoValue) continue;
      reader_[static_cast<size_t>(id)] = static_cast<int>(n);
      ++readers_[static_cast<size_t>(id)];
    }
    for (graph::ValueId id : graph.nodes[n].outputs) {
      if (id != graph::kNoValue) maker_[static_cast<size_t>(id)] = static_cast<int>(n);
    }
  }
  for (graph::ValueId id : graph.outputs) readers_[static_cast<size_t>(id)] += 2;
}

void remove_nodes(graph::Graph& graph, const std::vector<bool>& gone) {
  std::vector<graph::Node> kept;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    if (!gone[n]) kept.push_back(std::move(graph.nodes[n]));
  }
  graph.nodes = std::move(kept);
}

}  // namespace enm::passes
