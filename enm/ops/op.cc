#include "enm/ops/op.h"

#include <algorithm>
#include <array>

#include "enm/ops/table.h"

namespace enm::ops {

int64_t TensorView::count() const {
  int64_t product = 1;
  for (int axis = 0; axis < rank; ++axis) product *= dim(axis);
  return product;
}

void TensorView::set_dims(std::span<const int64_t> new_dims) {
  rank = static_cast<int>(new_dims.size());
  std::copy(new_dims.begin(), new_dims.end(), dims.begin());
}

bool TensorView::same_dims(const TensorView& other) const {
  return rank == other.rank && std::equal(dims.begin(), dims.begin() + rank, other.dims.begin());
}

std::string view_str(const TensorView& view) {
  std::vector<std::string> dims;
  for (int64_t dim : view.shape()) dims.push_back(cat(dim));
  return cat(graph::dtype_name(view.dtype), "[", join(dims, ", "), "]");
}

std::string Types::str() const {
  std::vector<std::string> names;
  for (unsigned type = 1; type < 32; ++type) {
    if ((bits_ >> type & 1) != 0) {
      names.emplace_back(graph::dtype_name(static_cast<graph::DType>(type)));
    }
  }
  return join(names, " or ");
}

std::span<const Op* const> all_ops() {
  static constexpr std::array kRows = {
#define ENM_OP(name) &name,
#include "enm/ops/ops.inc"
#undef ENM_OP
  };
  return kRows;
}

const Op* find_op(const graph::Graph& graph, const graph::Node& node) {
  for (const Op* op : all_ops()) {
    if (op->name != node.op_type || op->domain != node.domain) continue;
    const int64_t opset = graph.opset(node.domain);
    if (opset >= op->since && opset <= op->until) return op;
  }
  return nullptr;
}

bool has_trait(const graph::Graph& graph, const graph::Node& node, Trait trait) {
  const Op* op = find_op(graph, node);
  return op != nullptr && op->has(trait);
}

size_t required_outputs(const Op& op) {
  size_t count = op.outputs.size();
  while (count > 1 && op.outputs[count - 1].is(Operand::kOptional)) --count;
  return count;
}

Status unknown_op(const graph::Node& node) {
  return Unsupported("[ops] ", node.label(), ": this operator cannot be run");
}

}  // namespace enm::ops
