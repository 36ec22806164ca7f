// A node against its row: what is checked here, no operator checks again.
#pragma once

#include <vector>

#include "enm/ops/attributes.h"

namespace enm::ops {

/// Finds the row and holds the node to it: how many operands, which are missing, which must be
/// constants, which attributes of which kind. Failures name the node; kUnsupported where no row
/// fits.
Result<Attributes> check_node(const graph::Graph& graph, const graph::Node& node);

/// check_node for every node with a known operator, and the types of operands as far as constants
/// and declared inputs tell them. Nodes of unknown operators are left alone: tools carry them
/// through.
Status check_graph(const graph::Graph& graph);

/// One type a value, by id, from the rows' type rules alone; the declared type where no rule says,
/// kUndefined where nothing does.
std::vector<graph::DType> infer_dtypes(const graph::Graph& graph);

/// Types and dims of the outputs of a checked node: operands against the row, type rule, shape
/// rule, then the size rule: at most kMaxRank dimensions, none negative, a count that does not
/// wrap. Whoever has passed here may trust dims and products of them. Failures do not name the
/// node.
Status infer(const Attributes& attributes, Inputs inputs, Outputs outputs);

}  // namespace enm::ops
