#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string_view>

#include "enm/base/half.h"
#include "enm/ops/check.h"
#include "enm/passes/pass.h"
#include "enm/quantize/quantize.h"

namespace enm::quantize {
namespace {

using graph::DType;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Tensor;
using graph::TensorData;
using graph::ValueId;

TensorData as_halves(const TensorData& floats) {
  const auto count = static_cast<size_t>(floats.size() / sizeof(float));
  return TensorData::produced(count * 2, [floats, count](MutableBytes out) -> Status {
    ENM_ASSIGN_OR_RETURN(const Blob bytes, floats.load());
    for (size_t i = 0; i < count; ++i) {
      float value;
      std::memcpy(&value, bytes.data() + i * 4, 4);
      const uint16_t half = float_to_half(value);
      std::memcpy(out.data() + i * 2, &half, 2);
    }
    bytes.discard_pages();
    return {};
  });
}

// Why the values do not survive as halves; empty if they do.
Result<std::string> unsafe(const Tensor& tensor) {
  constexpr float kLargest = 65504.0f;
  constexpr float kLeastNormal = 0x1p-14f;
  ENM_ASSIGN_OR_RETURN(const Blob bytes, tensor.data.load());
  int64_t tiny = 0;
  int64_t nonzero = 0;
  for (size_t i = 0; i < bytes.size() / 4; ++i) {
    float value;
    std::memcpy(&value, bytes.data() + i * 4, 4);
    const float magnitude = std::fabs(value);
    if (!(magnitude <= kLargest)) return cat("holds ", value, ", beyond the halves' 65504");
    if (magnitude == 0) continue;
    ++nonzero;
    if (magnitude < kLeastNormal) ++tiny;
  }
  bytes.discard_pages();
  if (tiny * 2 <= nonzero) return std::string();
  return cat(tiny, " of its ", nonzero, " values are below the least normal half, 6.1e-5");
}

class Fp16 {
 public:
  explicit Fp16(Graph& graph)
      : graph_(graph),
        types_(ops::infer_dtypes(graph)),
        twins_(types_.size(), kNoValue),
        unsafe_(types_.size(), false) {}

  Result<Report> run() {
    ENM_RETURN_IF_ERROR(look_at_constants());
    old_nodes_.swap(graph_.nodes);
    choose_nodes();
    for (size_t n = 0; n < old_nodes_.size(); ++n) add_node(old_nodes_[n], in_halves_[n]);
    return report_;
  }

 private:
  bool is_f32(ValueId id) const {
    return id != kNoValue && types_[static_cast<size_t>(id)] == DType::kFloat32;
  }

  Status look_at_constants() {
    for (size_t i = 0; i < types_.size(); ++i) {
      const Tensor* tensor = graph_.constant(static_cast<ValueId>(i));
      if (tensor == nullptr || tensor->dtype != DType::kFloat32) continue;
      ENM_ASSIGN_OR_RETURN(const std::string why, unsafe(*tensor));
      if (why.empty()) continue;
      unsafe_[i] = true;
      report_.left_in_float.push_back(cat(graph_.value(static_cast<ValueId>(i)).name, ": ", why));
    }
    return {};
  }

  bool fits(const Node& node) const {
    const ops::Op* op = ops::find_op(graph_, node);
    if (op == nullptr || !op->has(ops::kHalfSafe)) return false;
    // Outputs beside the first that are floats whatever the rest is: statistics of norms.
    for (size_t i = 1; i < node.outputs.size(); ++i) {
      const ops::Operand* output = op->output(i);
      const bool stays = output == nullptr || (output->is(ops::Operand::kOptional) &&
                                               output->variable != op->outputs[0].variable);
      if (stays && node.outputs[i] != kNoValue) return false;
    }
    if (!is_f32(node.output(0))) return false;
    return std::none_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
      if (id == kNoValue) return false;
      const DType type = types_[static_cast<size_t>(id)];
      return unsafe_[static_cast<size_t>(id)] || type == DType::kUndefined ||
             (graph::is_float(type) && type != DType::kFloat32);
    });
  }

  // Which nodes compute in halves; constants that only those read become halves in place.
  void choose_nodes() {
    std::vector<bool> read_as_float(types_.size(), false);
    for (ValueId id : graph_.outputs) read_as_float[static_cast<size_t>(id)] = true;
    for (const Node& node : old_nodes_) {
      in_halves_.push_back(fits(node));
      for (ValueId id : node.inputs) {
        if (id != kNoValue && !in_halves_.back()) read_as_float[static_cast<size_t>(id)] = true;
      }
    }
    const size_t count = types_.size();
    for (size_t n = 0; n < old_nodes_.size(); ++n) {
      for (ValueId id : old_nodes_[n].inputs) {
        if (!in_halves_[n] || !is_f32(id) || graph_.constant(id) == nullptr) continue;
        const auto at = static_cast<size_t>(id);
        if (at >= count || twins_[at] != kNoValue) continue;
        const Tensor& floats = *graph_.constant(id);
        Tensor halves = {DType::kFloat16, floats.dims, as_halves(floats.data)};
        ++report_.halves;
        if (read_as_float[at]) {
          twins_[at] =
              graph_.add_constant(graph_.unique_name(graph_.value(id).name + ".half"), halves);
        } else {
          graph_.value(id).type = halves.type();
          graph_.value(id).initializer = std::move(halves);
          twins_[at] = id;
        }
      }
    }
  }

  ValueId cast(ValueId from, const std::string& name, DType to, ValueId into) {
    const std::string label = graph_.unique_name(name);
    if (into == kNoValue) {
      into = graph_.add_value(label, graph_.value(from).type);
      graph_.value(into).type.dtype = to;
    }
    graph_.nodes.push_back(
        {"Cast", "", label, {from}, {into}, {{"to", int64_t{static_cast<int>(to)}}}});
    return into;
  }

  void add_node(Node node, bool in_halves) {
    for (ValueId& id : node.inputs) {
      if (!in_halves || !is_f32(id)) continue;
      ValueId& twin = twins_[static_cast<size_t>(id)];
      if (twin == kNoValue) {
        twin = cast(id, graph_.value(id).name + ".half", DType::kFloat16, kNoValue);
      }
      id = twin;
    }
    std::vector<std::pair<ValueId, ValueId>> widen;  // what the node makes, what others read
    for (ValueId& id : node.outputs) {
      if (!in_halves || !is_f32(id)) continue;
      graph::Type type = graph_.value(id).type;
      type.dtype = DType::kFloat16;
      const std::string name = graph_.unique_name(graph_.value(id).name + ".half");
      const ValueId half = graph_.add_value(name, std::move(type));
      twins_[static_cast<size_t>(id)] = half;
      widen.emplace_back(half, id);
      id = half;
    }
    graph_.nodes.push_back(std::move(node));
    // A cast that nobody reads is dead code.
    for (const auto& [half, id] : widen) {
      cast(half, graph_.value(id).name + ".float", DType::kFloat32, id);
    }
  }

  Graph& graph_;
  const std::vector<DType> types_;
  std::vector<ValueId> twins_;  // the f16 form of each f32 value, once there is one
  std::vector<bool> unsafe_;
  std::vector<bool> in_halves_;
  std::vector<Node> old_nodes_;
  Report report_;
};

}  // namespace

Result<Report> quantize_fp16(Graph& graph) {
  ENM_RETURN_IF_ERROR(passes::run_passes(graph, passes::standard_passes()).status());
  return Fp16(graph).run();
}

}  // namespace enm::quantize
