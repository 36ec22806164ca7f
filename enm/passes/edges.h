// What rewrites of patterns share: who makes and who reads each value, and taking nodes out.
#pragma once

#include <vector>

#include "enm/graph/graph.h"

namespace enm::passes {

class Edges {
 public:
  explicit Edges(const graph::Graph& graph);

  /// Index of the one node that reads `id`, or -1: several do, or it is a graph output.
  int only_reader(graph::ValueId id) const {
    if (id == graph::kNoValue || readers_[static_cast<size_t>(id)] != 1) return -1;
    return reader_[static_cast<size_t>(id)];
  }
  /// Index of the node that makes `id`, or -1.
  int maker(graph::ValueId id) const {
    return id == graph::kNoValue ? -1 : maker_[static_cast<size_t>(id)];
  }

 private:
  std::vector<int> maker_;
  std::vector<int> reader_;
  std::vector<int> readers_;
};

/// Takes out the nodes that are marked; the others keep their order.
void remove_nodes(graph::Graph& graph, const std::vector<bool>& gone);

}  // namespace enm::passes
