// Element types of all values, from the operators' type rules alone: no shapes, no kernels.
#pragma once

#include <vector>

#include "enm/graph/graph.h"

namespace enm::graph {

/// One type a value, by id: the declared one where there is one, else what the maker's operator
/// makes of its inputs; kUndefined where neither says.
std::vector<DType> infer_dtypes(const Graph& graph);

}  // namespace enm::graph
