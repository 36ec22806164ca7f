// A graph as text that reads back as the same graph: for tests, bug reports and eyes.
//
//   graph "phi" producer "edge-net-models 0.1.0"
//   opset "" 17
//   metadata "key" "value"
//   input %ids: i64[batch, sequence]
//   const %table: f32[2, 2] {1, 2, 3, 4}
//   const %halves: f16[2] x"003c0040"
//   %rows: f32[batch, sequence, 2] = Gather "embed" (%table, %ids) {axis = int 0}
//   %y: f32 = com.microsoft.Gelu "act" (%rows)
//   output %y
//
// `_` is an operand that is not given. Names that are more than letters, digits and _ . / - stand
// in quotes, where \" \\ \xNN stand for bytes. Attributes say their kind: int, float, string,
// tensor, ints, floats, strings, opaque. A line that begins with # is a comment.
#pragma once

#include <string>
#include <string_view>

#include "enm/graph/graph.h"

namespace enm::graph {

struct TextOptions {
  /// False prints `...` for constants of more than 64 elements; such text does not read back.
  bool all_data = true;
};

/// Fails only where a constant's data cannot be loaded.
Result<std::string> to_text(const Graph& graph, const TextOptions& options = {});

/// kCorrupt with the line and what was expected. The graph has been verified.
Result<Graph> from_text(std::string_view text);

}  // namespace enm::graph
