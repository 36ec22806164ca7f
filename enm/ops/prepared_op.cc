#include "enm/ops/prepared_op.h"

#include <algorithm>

#include "enm/ops/check.h"

namespace enm::ops {
namespace {

Status refuse_other_values(const Attributes& attributes) {
  for (const AttributeSpec& spec : attributes.op().attributes) {
    if (!spec.is_only || !attributes.has(spec.name)) continue;
    bool is_default = true;
    std::string got;
    switch (spec.kind) {
      case AttributeSpec::Kind::kInteger:
        is_default = attributes.integer(spec.name) == spec.integer_default;
        got = cat(attributes.integer(spec.name));
        break;
      case AttributeSpec::Kind::kFloat:
        is_default = attributes.number(spec.name) == spec.real_default;
        got = cat(attributes.number(spec.name));
        break;
      case AttributeSpec::Kind::kString:
        is_default = attributes.text(spec.name) == spec.string_default;
        got = quoted(attributes.text(spec.name));
        break;
      default:
        is_default = false;
        got = "given";
        break;
    }
    if (!is_default) return Unsupported("attribute ", spec.name, " is ", got, ": not supported");
  }
  return {};
}

Status refuse_computed_weights(const PrepareContext& context) {
  for (size_t i = 0; i < context.node().inputs.size(); ++i) {
    const Operand& operand = *context.attributes.op().input(i);
    if (!operand.is(Operand::kConstant) || context.node().inputs[i] == graph::kNoValue) continue;
    if (context.constant(i) == nullptr) {
      return Unsupported("input ", i, " (", operand.name, ") is computed; expected a constant");
    }
  }
  return {};
}

Result<std::unique_ptr<PreparedOp>> prepare_checked(const PrepareContext& context) {
  ENM_RETURN_IF_ERROR(refuse_other_values(context.attributes));
  ENM_RETURN_IF_ERROR(refuse_computed_weights(context));
  return context.attributes.op().cpu(context);
}

// Room for one node's operands, made of constants.
struct Evaluation {
  std::vector<Blob> blobs;
  std::vector<TensorView> in;
  std::vector<TensorView> out;
  std::vector<AlignedMemory> memory;
};

Status load_inputs(std::span<const graph::Tensor> tensors, Weights& weights, Evaluation& run) {
  for (const graph::Tensor& tensor : tensors) {
    TensorView& view = run.in.emplace_back();
    if (tensor.dtype == graph::DType::kUndefined) continue;
    if (tensor.dims.size() > kMaxRank) return Unsupported("rank ", tensor.dims.size());
    ENM_RETURN_IF_ERROR(graph::checked_element_count(tensor.dims).status());
    ENM_ASSIGN_OR_RETURN(Blob blob, weights.plain(tensor));
    view.dtype = tensor.dtype;
    view.set_dims(tensor.dims);
    view.data = const_cast<uint8_t*>(blob.data());
    run.blobs.push_back(std::move(blob));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<PreparedOp>> prepare(const PrepareContext& context) {
  auto prepared = prepare_checked(context);
  if (!prepared.ok()) return prepared.status().in(cat("[ops] ", context.node().label()));
  return prepared;
}

Result<std::vector<graph::Tensor>> evaluate(const graph::Graph& graph, const graph::Node& node,
                                            std::span<const graph::Tensor> inputs) {
  MemoryBudget budget;
  Weights weights(budget);
  ThreadPool pool(1);
  ENM_ASSIGN_OR_RETURN(const Attributes attributes, check_node(graph, node));
  ENM_ASSIGN_OR_RETURN(const auto op, prepare({graph, attributes, Isa::kScalar, pool, weights}));
  Evaluation run;
  ENM_RETURN_IF_ERROR(load_inputs(inputs, weights, run).in(node.label()));
  run.out.resize(std::max(node.outputs.size(), required_outputs(attributes.op())));
  ENM_RETURN_IF_ERROR(infer(attributes, run.in, run.out).in(node.label()));
  for (TensorView& view : run.out) {
    ENM_ASSIGN_OR_RETURN(AlignedMemory memory, AlignedMemory::allocate(view.bytes(), node.label()));
    view.data = memory.data();
    run.memory.push_back(std::move(memory));
  }
  ENM_ASSIGN_OR_RETURN(
      const AlignedMemory scratch,
      AlignedMemory::allocate(op->scratch_bytes(run.in, pool.size()), budget, "scratch"));
  ENM_RETURN_IF_ERROR(op->run({&pool, scratch.data()}, run.in, run.out).in(node.label()));
  for (const Blob& blob : run.blobs) blob.discard_pages();
  std::vector<graph::Tensor> results;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const TensorView& view = run.out[i];
    const Blob memory = AlignedMemory::as_blob(std::move(run.memory[i]));
    results.push_back({view.dtype,
                       {view.shape().begin(), view.shape().end()},
                       graph::TensorData::mapped(memory.slice(0, view.bytes()))});
  }
  return results;
}

}  // namespace enm::ops
