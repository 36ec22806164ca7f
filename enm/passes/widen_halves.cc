// Before:   values of f16, and casts between them and f32.
// After:    f32 throughout; the casts are gone, constants are widened when they are loaded.
// Not when: never; bf16 and f64 stay.
// CPUs multiply floats: a model whose file is f16 is computed in f32 here, as other runtimes do by
// casting around every operator.
#include <algorithm>

#include "enm/base/half.h"
#include "enm/graph/dtypes.h"
#include "enm/passes/pass.h"

namespace enm::passes {
namespace {

using graph::DType;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Tensor;
using graph::ValueId;

bool is_f16_or_f32(DType type) { return type == DType::kFloat16 || type == DType::kFloat32; }

Tensor widened(const Tensor& halves) {
  const int64_t count = halves.element_count();
  return {DType::kFloat32, halves.dims,
          graph::TensorData::produced(
              static_cast<uint64_t>(count) * sizeof(float),
              [data = halves.data, count](MutableBytes out) -> Status {
                ENM_ASSIGN_OR_RETURN(const Blob bytes, data.load());
                for (int64_t i = 0; i < count; ++i) {
                  uint16_t half;
                  std::copy_n(bytes.data() + i * 2, 2, reinterpret_cast<uint8_t*>(&half));
                  const float value = half_to_float(half);
                  std::copy_n(reinterpret_cast<const uint8_t*>(&value), 4, out.data() + i * 4);
                }
                return {};
              })};
}

// `to` takes the place of `from`, which a Cast made it of; whoever makes `from` makes `to` now.
void let_maker_make(Graph& graph, ValueId from, ValueId to) {
  for (Node& node : graph.nodes) {
    std::replace(node.outputs.begin(), node.outputs.end(), from, to);
    std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  }
}

bool contains(const std::vector<ValueId>& ids, ValueId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

int drop_casts(Graph& graph, const std::vector<DType>& types) {
  int dropped = 0;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    if (!node.is("Cast")) continue;
    if (node.int_or("to", 0) == static_cast<int>(DType::kFloat16)) {
      node.attributes["to"] = int64_t{static_cast<int>(DType::kFloat32)};
    }
    const ValueId from = node.inputs[0];
    const ValueId to = node.outputs[0];
    const bool between = is_f16_or_f32(types[static_cast<size_t>(from)]) &&
                         is_f16_or_f32(types[static_cast<size_t>(to)]);
    const bool is_interface = contains(graph.outputs, to);
    const bool is_fixed = contains(graph.outputs, from) || contains(graph.inputs, from) ||
                          graph.constant(from) != nullptr;
    if (!between || (is_interface && is_fixed)) continue;
    node.inputs.clear();
    node.outputs.clear();
    if (is_interface) {
      let_maker_make(graph, from, to);
    } else {
      graph.replace_uses(to, from);
    }
    ++dropped;
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.outputs.empty(); });
  return dropped;
}

Result<int> run(Graph& graph) {
  const std::vector<DType> types = graph::infer_dtypes(graph);
  if (std::find(types.begin(), types.end(), DType::kFloat16) == types.end()) return 0;
  int rewrites = drop_casts(graph, types);
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] != DType::kFloat16) continue;
    graph::Value& value = graph.value(static_cast<ValueId>(i));
    value.type.dtype = DType::kFloat32;
    if (!value.initializer) continue;
    value.initializer = widened(*value.initializer);
    ++rewrites;
  }
  return rewrites;
}

}  // namespace

const Pass kWidenHalves = {"widen_halves", run};

}  // namespace enm::passes
