#include "enm/runtime/program.h"

#include <algorithm>

#include "enm/ops/check.h"
#include "enm/passes/pass.h"

namespace enm::runtime {

using graph::kNoValue;
using graph::ValueId;

Result<std::shared_ptr<const Program>> Program::compile(graph::Graph graph, Isa isa,
                                                        ThreadPool& pool, ops::Weights& weights) {
  ENM_RETURN_IF_ERROR(passes::run_passes(graph, passes::standard_passes()).status());
  ENM_RETURN_IF_ERROR(passes::run_passes(graph, passes::runtime_passes()).status());
  std::shared_ptr<Program> program(new Program(std::move(graph)));
  ENM_RETURN_IF_ERROR(program->prepare_steps(isa, pool, weights));
  ENM_RETURN_IF_ERROR(program->load_constants(weights));
  return std::shared_ptr<const Program>(std::move(program));
}

bool Program::has(ops::Trait trait) const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [&](const Step& step) { return step.attributes.op().has(trait); });
}

namespace {

// Outputs that an operator always fills get a value also where nobody reads them.
void complete_outputs(graph::Graph& graph, size_t index) {
  const ops::Op* op = ops::find_op(graph, graph.nodes[index]);
  if (op == nullptr) return;
  std::vector<ValueId>& outputs = graph.nodes[index].outputs;
  outputs.resize(std::max(outputs.size(), ops::required_outputs(*op)), kNoValue);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const bool optional = op->output(i) != nullptr && op->output(i)->is(ops::Operand::kOptional);
    if (outputs[i] != kNoValue || optional) continue;
    outputs[i] = graph.add_value(graph.unique_name(cat("unread/", index, "/", i)));
  }
}

bool decides_shapes(const graph::Graph& graph, const graph::Node& node, const ops::Op& op) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue || graph.constant(node.inputs[i]) != nullptr) continue;
    if (op.input(i)->is(ops::Operand::kDecidesShape)) return true;
  }
  return op.has(ops::kDataSized);
}

}  // namespace

Status Program::prepare_steps(Isa isa, ThreadPool& pool, ops::Weights& weights) {
  for (size_t i = 0; i < graph_.nodes.size(); ++i) complete_outputs(graph_, i);
  for (const graph::Node& node : graph_.nodes) {
    ENM_ASSIGN_OR_RETURN(const ops::Attributes attributes, ops::check_node(graph_, node));
    ENM_ASSIGN_OR_RETURN(auto op, ops::prepare({graph_, attributes, isa, pool, weights}));
    steps_.push_back({attributes, std::move(op), node.inputs, node.outputs,
                      decides_shapes(graph_, node, attributes.op()), node.label()});
  }
  return {};
}

Status Program::load_constants(ops::Weights& weights) {
  constants_.resize(graph_.value_count());
  std::vector<bool> read_plain(graph_.value_count(), false);
  const auto mark = [&](ValueId id) {
    if (id != kNoValue) read_plain[static_cast<size_t>(id)] = true;
  };
  for (const Step& step : steps_) {
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      if (!step.op->packs(i)) mark(step.inputs[i]);
    }
  }
  std::for_each(graph_.outputs.begin(), graph_.outputs.end(), mark);
  for (size_t i = 0; i < graph_.value_count(); ++i) {
    const graph::Value& value = graph_.value(static_cast<ValueId>(i));
    if (!value.initializer) continue;
    const graph::Tensor& tensor = *value.initializer;
    if (tensor.dims.size() > ops::kMaxRank) {
      return Unsupported("[runtime] constant ", quoted(value.name), " has ", tensor.dims.size(),
                         " dimensions; at most ", ops::kMaxRank);
    }
    constants_[i].dtype = tensor.dtype;
    constants_[i].set_dims(tensor.dims);
    if (!read_plain[i]) continue;
    auto bytes = weights.plain(tensor);
    if (!bytes.ok()) return bytes.status().in(cat("[runtime] constant ", quoted(value.name)));
    constants_[i].data = const_cast<uint8_t*>(bytes->data());
    blobs_.push_back(*std::move(bytes));
  }
  return {};
}

}  // namespace enm::runtime
