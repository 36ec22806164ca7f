#include "enm/passes/select_rows.h"

#include "enm/ops/op.h"

namespace enm::passes {
namespace {

using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::ValueId;

bool is_vector(const graph::Tensor* tensor) {
  return tensor != nullptr && tensor->dims.size() <= 1;
}

// Through which input a row of the node's output comes from the same row of the input, or -1.
int row_input(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1) return -1;
  int computed = -1;
  const bool product = ops::has_trait(graph, node, ops::kRowWise);
  if (!product && !ops::has_trait(graph, node, ops::kElementwise)) return -1;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) continue;
    const graph::Tensor* constant = graph.constant(node.inputs[i]);
    if (constant == nullptr) {
      if (computed >= 0 || (product && i > 0)) return -1;
      computed = static_cast<int>(i);
    } else if (!product && !is_vector(constant)) {
      return -1;
    }
  }
  return computed;
}

// A product: its second input is a matrix, or blocks of one, and constant.
bool is_product(const Graph& graph, const Node& node) {
  const graph::Tensor* weight = graph.constant(node.input(1));
  return ops::has_trait(graph, node, ops::kRowWise) && weight != nullptr &&
         weight->dims.size() >= 2;
}

}  // namespace

ValueId select_rows(Graph& graph, std::string_view output) {
  const ValueId logits = graph.find_value(output);
  ValueId value = logits;
  for (size_t n = graph.nodes.size(); n-- > 0 && value != kNoValue;) {
    const Node& node = graph.nodes[n];
    if (node.output(0) != value) continue;
    const int through = row_input(graph, node);
    if (through < 0) return kNoValue;
    value = node.inputs[static_cast<size_t>(through)];
    if (!is_product(graph, node)) continue;
    const std::string base = cat(output, "/rows");
    const ValueId rows =
        graph.add_input(graph.unique_name(base), {graph::DType::kInt64, graph::Shape{"rows"}});
    const ValueId flat = graph.add_value(graph.unique_name(cat(base, "/flat")));
    const ValueId chosen = graph.add_value(graph.unique_name(cat(base, "/chosen")));
    Node flatten{"Flatten", "", cat(base, "/Flatten"), {value}, {flat}, {{"axis", int64_t{2}}}};
    Node gather{"Gather", "", cat(base, "/Gather"), {flat, rows}, {chosen}, {}};
    graph.nodes[n].inputs[0] = chosen;
    const auto at = graph.nodes.begin() + static_cast<std::ptrdiff_t>(n);
    graph.nodes.insert(graph.nodes.insert(at, std::move(gather)), std::move(flatten));
    graph.value(logits).type.shape.reset();
    return rows;
  }
  return kNoValue;
}

}  // namespace enm::passes
