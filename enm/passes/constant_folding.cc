// Before:   y = Op(constants)
// After:    y is a constant. Small results are computed now; large ones become tensors that are
//           produced when they are loaded, so that folding a checkpoint's casts and transposes
//           costs neither time nor memory.
// Not when: the operator is unknown, a graph output is made, or the result would be larger than
//           1 MiB and four times its inputs (Expand, ConstantOfShape), or all results together
//           than 1 MiB and 32 times the graph's constants (Concat of a value with itself, and so
//           on), or loading it would take more than 16 evaluations.
#include <algorithm>
#include <utility>

#include "enm/ops/check.h"
#include "enm/ops/prepared_op.h"
#include "enm/passes/pass.h"

namespace enm::passes {
namespace {

using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Tensor;
using graph::ValueId;

constexpr uint64_t kSmallBytes = 64 << 10;
constexpr uint64_t kLargeBytes = 1 << 20;
constexpr uint64_t kMostEvaluations = 16;

// A node of constants as a graph of its own, which a produced tensor can keep.
struct Piece {
  Graph graph;
  std::vector<Tensor> inputs;
};

Piece cut_out(const Graph& graph, const Node& node) {
  Piece piece;
  piece.graph.opsets = graph.opsets;
  Node copy = node;
  for (ValueId& id : copy.inputs) {
    if (id == kNoValue) {
      piece.inputs.emplace_back();
      continue;
    }
    piece.inputs.push_back(*graph.constant(id));
    const std::string& name = graph.value(id).name;
    const ValueId known = piece.graph.find_value(name);
    id = known != kNoValue ? known : piece.graph.add_constant(name, piece.inputs.back());
  }
  for (ValueId& id : copy.outputs) id = piece.graph.add_value(graph.value(id).name);
  piece.graph.nodes.push_back(std::move(copy));
  return piece;
}

bool is_foldable(const Graph& graph, const Node& node, const std::vector<bool>& is_output) {
  if (node.inputs.empty() || node.outputs.size() != 1 || node.outputs[0] == kNoValue ||
      is_output[static_cast<size_t>(node.outputs[0])] || ops::find_op(graph, node) == nullptr) {
    return false;
  }
  bool any = false;
  for (ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    if (graph.constant(id) == nullptr) return false;
    any = true;
  }
  return any;
}

// The result's type and dims; values of small constants decide shapes, those of others do not.
Result<ops::TensorView> result_of(const Piece& piece) {
  const Node& node = piece.graph.nodes[0];
  ENM_ASSIGN_OR_RETURN(const ops::Attributes attributes, ops::check_node(piece.graph, node));
  std::vector<ops::TensorView> in(piece.inputs.size());
  std::vector<Blob> kept;
  for (size_t i = 0; i < in.size(); ++i) {
    const Tensor& tensor = piece.inputs[i];
    if (tensor.dims.size() > ops::kMaxRank) return Unsupported("too many dimensions");
    in[i].dtype = tensor.dtype;
    in[i].set_dims(tensor.dims);
    const bool decides = attributes.op().input(i)->is(ops::Operand::kDecidesShape);
    if (!decides || tensor.data.size() > kSmallBytes) continue;
    ENM_ASSIGN_OR_RETURN(const Blob bytes, tensor.data.load());
    kept.push_back(Blob::own({bytes.data(), bytes.data() + bytes.size()}));
    in[i].data = const_cast<uint8_t*>(kept.back().data());
  }
  std::vector<ops::TensorView> out(node.outputs.size());
  ENM_RETURN_IF_ERROR(ops::infer(attributes, in, out));
  out[0].data = nullptr;
  return out[0];
}

Result<Tensor> fold_now(const Piece& piece) {
  ENM_ASSIGN_OR_RETURN(auto results,
                       ops::evaluate(piece.graph, piece.graph.nodes[0], piece.inputs));
  return std::move(results[0]);
}

// The result's type, its data made when it is loaded; fails where the shape depends on data.
Result<Tensor> fold_later(Piece piece) {
  ENM_ASSIGN_OR_RETURN(const ops::TensorView out, result_of(piece));
  Tensor tensor{out.dtype, {out.shape().begin(), out.shape().end()}, {}};
  const uint64_t size = out.bytes();
  tensor.data = graph::TensorData::produced(
      size,
      [shared = std::make_shared<const Piece>(std::move(piece))](MutableBytes bytes) -> Status {
        ENM_ASSIGN_OR_RETURN(const Tensor made, fold_now(*shared));
        return made.data.load_into(bytes);
      });
  return tensor;
}

// The size is asked before anything is computed: at most `room` bytes.
Result<Tensor> fold(Piece piece, uint64_t input_bytes, uint64_t room) {
  ENM_ASSIGN_OR_RETURN(const ops::TensorView out, result_of(piece));
  if (out.bytes() > std::min(room, std::max(kLargeBytes, 4 * input_bytes))) {
    return ResourceExhausted("the result is much larger than what it is made of");
  }
  return input_bytes <= kSmallBytes ? fold_now(piece) : fold_later(std::move(piece));
}

uint64_t constant_bytes(const Graph& graph) {
  uint64_t total = 0;
  for (size_t id = 0; id < graph.value_count(); ++id) {
    if (const Tensor* constant = graph.constant(static_cast<ValueId>(id))) {
      total += constant->data.size();
    }
  }
  return total;
}

Result<int> run(Graph& graph) {
  int folded = 0;
  uint64_t room = kLargeBytes + 32 * constant_bytes(graph);
  std::vector<Node> kept;
  std::vector<uint64_t> evaluations(graph.value_count(), 0);  // that loading a constant takes
  std::vector<bool> is_output(graph.value_count(), false);
  for (ValueId id : graph.outputs) is_output[static_cast<size_t>(id)] = true;
  for (Node& node : graph.nodes) {
    uint64_t input_bytes = 0;
    uint64_t cost = 1;
    for (ValueId id : node.inputs) {
      const Tensor* constant = graph.constant(id);
      if (constant == nullptr) continue;
      input_bytes += constant->data.size();
      cost += evaluations[static_cast<size_t>(id)];
    }
    if (cost <= kMostEvaluations && is_foldable(graph, node, is_output)) {
      Piece piece = cut_out(graph, node);
      if (const auto result = fold(std::move(piece), input_bytes, room); result.ok()) {
        room -= result->data.size();
        if (result->data.is_produced()) evaluations[static_cast<size_t>(node.outputs[0])] = cost;
        graph::Value& value = graph.value(node.outputs[0]);
        value.type = result->type();
        value.initializer = *result;
        ++folded;
        continue;
      }
    }
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
  return folded;
}

}  // namespace

const Pass kConstantFolding = {"constant_folding", run};

}  // namespace enm::passes
