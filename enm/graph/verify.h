// What every graph must hold to, whoever made it.
#pragma once

#include "enm/graph/graph.h"

namespace enm::graph {

/// Every value that is read has been made before, each is made once, outputs exist, constants have
/// as many bytes as their type says. kCorrupt naming the node and the value otherwise. Operators
/// are not judged: that is what preparing them does.
Status verify(const Graph& graph);

}  // namespace enm::graph
