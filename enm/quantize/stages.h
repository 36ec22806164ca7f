// A decoder cut into parts that run one after the other: its layers, with what comes before them in
// the first and the head's product in a last one of its own.
#pragma once

#include <string>
#include <vector>

#include "enm/graph/description.h"

namespace enm::quantize {

struct Stage {
  std::string name;  // "layer 3", "head"
  std::vector<graph::ValueId>
      inputs;  // what the stage before hands over; the text's ids to the first
  std::vector<graph::ValueId> outputs;  // what it hands over
  size_t begin = 0, end = 0;            // its nodes
};

/// kUnsupported for a graph whose attention is not one operator over its layer's cache.
Result<std::vector<Stage>> cut_into_stages(const graph::Graph& graph,
                                           const graph::ModelDescription& description);

/// The nodes that make `outputs` of `inputs`, as a graph of its own under the same names. What
/// follows from the mask alone is made anew; attention starts with an empty cache.
graph::Graph extract(const graph::Graph& graph, const graph::ModelDescription& description,
                     const std::vector<graph::ValueId>& inputs,
                     const std::vector<graph::ValueId>& outputs);

}  // namespace enm::quantize
