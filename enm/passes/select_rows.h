// Before:   y = head(x), x [batch, sequence, width], y an output
// After:    y = head(Gather(Flatten(x), rows)), y [rows, ...]; `rows` is a new input
// Not when: between x and y stands anything but products by constant weights and elementwise
//           operators with constant vectors.
// The largest product of a decoder then computes only the positions that somebody asks for: the
// last one of a prompt, none of its earlier parts, all of a text that is scored.
#pragma once

#include <string_view>

#include "enm/graph/graph.h"

namespace enm::passes {

/// The new input i64[rows], which counts positions through the whole batch; kNoValue, and an
/// unchanged graph, where the pattern is not there.
graph::ValueId select_rows(graph::Graph& graph, std::string_view output);

}  // namespace enm::passes
