// Scaling a product's inputs: its columns times s, what makes the inputs divided by s, so that the
// model computes the same and rounding treats the columns otherwise.
#pragma once

#include <optional>
#include <vector>

#include "enm/graph/graph.h"

namespace enm::quantize {

/// What makes the inputs of some products and can be divided by s at no cost.
struct FoldPlace {
  graph::ValueId input = graph::kNoValue;  // of the products
  std::vector<size_t> products;            // nodes; all that read the input
  size_t maker = 0;                        // a norm, or a product whose rows are the columns
  bool is_norm = false;
  int64_t bias = -1;  // the Add behind a maker that is a product; -1 where there is none
};

/// A norm before the products; the values' product where attention has as many heads of values as
/// of queries; the product that is multiplied with a gate's activation. Nothing where other
/// operators read the input, or something that is not linear lies between.
std::optional<FoldPlace> find_fold(const graph::Graph& graph, graph::ValueId input,
                                   const std::vector<size_t>& products);

/// Divides the maker by `scales`, one a column, and multiplies the products' columns with them.
Status apply_fold(graph::Graph& graph, const FoldPlace& place, const std::vector<float>& scales);

}  // namespace enm::quantize
