// Before:   y = Op(constants)
// After:    y is a constant. Small results are computed now; large ones become tensors that are
//           produced when they are loaded, so that folding a checkpoint's casts and transposes
//           costs neither time nor memory.
// Not when: the operator is unknown, a graph output is made, or the result would be larger than
//           1 MiB and four times its inputs (Expand, ConstantOfShape).
#include <utility>

#include "enm/ops/op.h"
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

bool is_foldable(const Graph& graph, const Node& node) {
  if (node.inputs.empty() || node.outputs.size() != 1 || !ops::find_op(node).ok()) return false;
  bool any = false;
  for (ValueId id : node.inputs) {
    if (id == kNoValue) continue;
    if (graph.constant(id) == nullptr) return false;
    any = true;
  }
  for (ValueId id : graph.outputs) {
    if (id == node.outputs[0]) return false;
  }
  return any;
}

Result<Tensor> fold_now(const Piece& piece) {
  ENM_ASSIGN_OR_RETURN(auto results,
                       ops::evaluate(piece.graph, piece.graph.nodes[0], piece.inputs));
  return std::move(results[0]);
}

// The result's type without its data; fails where the shape depends on data.
Result<Tensor> fold_later(Piece piece) {
  const Node& node = piece.graph.nodes[0];
  ThreadPool pool(1);
  const auto opset = piece.graph.opsets.find(node.domain);
  ENM_ASSIGN_OR_RETURN(
      const auto op,
      ops::prepare({piece.graph, node, opset == piece.graph.opsets.end() ? 1 : opset->second,
                    Isa::kScalar, &pool}));
  std::vector<ops::TensorView> in(piece.inputs.size());
  for (size_t i = 0; i < in.size(); ++i) {
    if (piece.inputs[i].dims.size() > ops::kMaxRank) return Unsupported("too many dimensions");
    in[i].dtype = piece.inputs[i].dtype;
    in[i].set_dims(piece.inputs[i].dims);
  }
  ops::TensorView out;
  ENM_RETURN_IF_ERROR(op->infer(in, {&out, 1}));
  Tensor tensor{out.dtype, {out.dims.begin(), out.dims.begin() + out.rank}, {}};
  const uint64_t size = out.bytes();
  tensor.data = graph::TensorData::produced(
      size,
      [shared = std::make_shared<const Piece>(std::move(piece))](MutableBytes bytes) -> Status {
        ENM_ASSIGN_OR_RETURN(const Tensor made, fold_now(*shared));
        return made.data.load_into(bytes);
      });
  return tensor;
}

Result<int> run(Graph& graph) {
  int folded = 0;
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    uint64_t input_bytes = 0;
    const bool foldable = is_foldable(graph, node);
    for (ValueId id : node.inputs) {
      if (const Tensor* constant = graph.constant(id)) input_bytes += constant->data.size();
    }
    if (foldable) {
      Piece piece = cut_out(graph, node);
      const auto result =
          input_bytes <= kSmallBytes ? fold_now(piece) : fold_later(std::move(piece));
      const bool fits = result.ok() && (result->data.size() <= kLargeBytes ||
                                        result->data.size() <= 4 * input_bytes);
      if (fits) {
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
