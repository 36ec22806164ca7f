// Before:   values of f16, and casts between them and f32.
// After:    f32 throughout; the casts are gone, constants are widened when they are loaded.
// Not when: never; bf16 and f64 stay.
// CPUs multiply floats: a model whose file is f16 is computed in f32 here, as other runtimes do by
// casting around every operator.
#include <algorithm>

#include "enm/base/half.h"
#include "enm/ops/check.h"
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

// Which value stands for which once casts between equal types are gone.
class Stand {
 public:
  explicit Stand(const Graph& graph) : for_(graph.value_count()), is_fixed_(for_.size(), false) {
    for (size_t i = 0; i < for_.size(); ++i) {
      for_[i] = static_cast<ValueId>(i);
      is_fixed_[i] = graph.constant(for_[i]) != nullptr;
    }
    for (const auto* ids : {&graph.inputs, &graph.outputs}) {
      for (ValueId id : *ids) is_fixed_[static_cast<size_t>(id)] = true;
    }
  }
  ValueId of(ValueId id) const {
    while (id != kNoValue && for_[static_cast<size_t>(id)] != id)
      id = for_[static_cast<size_t>(id)];
    return id;
  }
  /// A Cast of `from` makes `to`: one of them goes. False where both are the model's interface.
  bool join(ValueId from, ValueId to) {
    from = of(from);
    if (!is_fixed_[static_cast<size_t>(to)]) {
      for_[static_cast<size_t>(to)] = from;
    } else if (!is_fixed_[static_cast<size_t>(from)]) {
      for_[static_cast<size_t>(from)] = to;  // its maker makes `to`
    } else {
      return false;
    }
    return true;
  }

 private:
  std::vector<ValueId> for_;
  std::vector<bool> is_fixed_;
};

int drop_casts(Graph& graph, const std::vector<DType>& types) {
  int dropped = 0;
  Stand stand(graph);
  for (Node& node : graph.nodes) {
    if (!node.is("Cast")) continue;
    if (node.int_or("to", 0) == static_cast<int>(DType::kFloat16)) {
      node.attributes["to"] = int64_t{static_cast<int>(DType::kFloat32)};
    }
    const ValueId from = node.inputs[0];
    const ValueId to = node.output(0);
    if (to == kNoValue || !is_f16_or_f32(types[static_cast<size_t>(from)]) ||
        !is_f16_or_f32(types[static_cast<size_t>(to)]) || !stand.join(from, to)) {
      continue;
    }
    node.outputs.clear();
    ++dropped;
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.outputs.empty(); });
  for (Node& node : graph.nodes) {
    for (ValueId& id : node.inputs) id = stand.of(id);
    for (ValueId& id : node.outputs) id = stand.of(id);
  }
  return dropped;
}

Result<int> run(Graph& graph) {
  const std::vector<DType> types = ops::infer_dtypes(graph);
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
