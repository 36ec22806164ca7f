// What a model is that no family of ours wrote.
#pragma once

#include "enm/graph/description.h"

namespace enm::families {

/// The description that the graph carries, or what its names and operators tell: the inputs and
/// outputs that optimum, transformers.js and onnxruntime-genai agree on. Its task is kUnknown if
/// they tell nothing. kCorrupt if it carries one that is wrong.
Result<graph::ModelDescription> describe(const graph::Graph& graph);

}  // namespace enm::families
