#include "enm/ops/check.h"

#include <algorithm>
#include <array>

namespace enm::ops {
namespace {

using graph::DType;

std::string_view kind_name(AttributeSpec::Kind kind) {
  switch (kind) {
    case AttributeSpec::Kind::kInteger:
      return "integer";
    case AttributeSpec::Kind::kFloat:
      return "float";
    case AttributeSpec::Kind::kString:
      return "string";
    case AttributeSpec::Kind::kIntegers:
      return "list of integers";
    case AttributeSpec::Kind::kFloats:
      return "list of floats";
    case AttributeSpec::Kind::kStrings:
      return "list of strings";
    case AttributeSpec::Kind::kTensor:
      return "tensor";
  }
  return "?";
}

bool is_of_kind(const graph::Attribute& value, AttributeSpec::Kind kind) {
  switch (kind) {
    case AttributeSpec::Kind::kInteger:
      return std::holds_alternative<int64_t>(value);
    case AttributeSpec::Kind::kFloat:
      return std::holds_alternative<float>(value);
    case AttributeSpec::Kind::kString:
      return std::holds_alternative<std::string>(value);
    case AttributeSpec::Kind::kIntegers:
      return std::holds_alternative<std::vector<int64_t>>(value);
    case AttributeSpec::Kind::kFloats:
      return std::holds_alternative<std::vector<float>>(value);
    case AttributeSpec::Kind::kStrings:
      return std::holds_alternative<std::vector<std::string>>(value);
    case AttributeSpec::Kind::kTensor:
      return std::holds_alternative<graph::Tensor>(value);
  }
  return false;
}

Status check_attributes(const Op& op, const graph::Node& node) {
  for (const auto& [name, value] : node.attributes) {
    const auto spec = std::find_if(op.attributes.begin(), op.attributes.end(),
                                   [&](const AttributeSpec& one) { return one.name == name; });
    if (spec == op.attributes.end()) return Corrupt("it has no attribute ", quoted(name));
    if (!is_of_kind(value, spec->kind)) {
      return Corrupt("attribute ", quoted(name), " is no ", kind_name(spec->kind));
    }
  }
  for (const AttributeSpec& spec : op.attributes) {
    if (spec.is_required && node.attributes.find(spec.name) == node.attributes.end()) {
      return Corrupt("attribute ", quoted(spec.name), " is missing");
    }
  }
  return {};
}

// `what` is "input" or "output".
Status check_operands(std::span<const Operand> row, const std::vector<graph::ValueId>& given,
                      size_t most, std::string_view what) {
  const bool open = !row.empty() && row.back().is(Operand::kVariadic);
  const size_t limit = open ? most : row.size();
  if (given.size() > limit) {
    return Corrupt("it has ", given.size(), " ", what, "s; expected at most ", limit);
  }
  for (size_t i = 0; i < row.size() && what == "input"; ++i) {
    const bool missing = i >= given.size() || given[i] == graph::kNoValue;
    if (missing && !row[i].is(Operand::kOptional)) {
      return Corrupt("input ", i, " (", row[i].name, ") is missing");
    }
  }
  for (size_t i = row.size(); i < given.size() && what == "input"; ++i) {
    if (given[i] == graph::kNoValue) return Corrupt("input ", i, " is missing");
  }
  if (given.empty() && what == "output") return Corrupt("it has no output");
  return {};
}

// The types that operands of each letter have, as they come.
class Letters {
 public:
  /// The type the letter stands for, which is `type` if it stands for none yet.
  DType bind(char letter, DType type) {
    DType& bound = types_[letter & 31];
    if (bound == DType::kUndefined) bound = type;
    return bound;
  }

 private:
  std::array<DType, 32> types_{};
};

// Files hold halves where we compute floats: see passes/widen_halves.
bool allows(const Operand& operand, DType type) {
  return operand.types.contains(type) ||
         (type == DType::kFloat16 && operand.types.contains(DType::kFloat32));
}

// kUndefined stands for a type that is not known, or an operand that is not given.
Status check_types(const Op& op, std::span<const DType> inputs, Letters& letters,
                   bool (*is_allowed)(const Operand&, DType)) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == DType::kUndefined) continue;
    const Operand& operand = *op.input(i);
    if (!is_allowed(operand, inputs[i])) {
      return Unsupported("input ", i, " (", operand.name, ") is ", graph::dtype_name(inputs[i]),
                         "; expected ", operand.types.str());
    }
    if (operand.variable == 0) continue;
    const DType bound = letters.bind(operand.variable, inputs[i]);
    if (bound != inputs[i]) {
      return Corrupt("input ", i, " (", operand.name, ") is ", graph::dtype_name(inputs[i]),
                     "; expected ", graph::dtype_name(bound), " as the inputs before it");
    }
  }
  return {};
}

DType output_type(const Attributes& attributes, size_t index, std::span<const DType> inputs,
                  Letters& letters) {
  const Operand& operand = *attributes.op().output(index);
  if (operand.variable != 0) return letters.bind(operand.variable, DType::kUndefined);
  if (index == 0 && attributes.op().type != nullptr)
    return attributes.op().type(attributes, inputs);
  return operand.types.only();
}

bool is_exactly(const Operand& operand, DType type) { return operand.types.contains(type); }

}  // namespace

Result<Attributes> check_node(const graph::Graph& graph, const graph::Node& node) {
  const Op* op = find_op(graph, node);
  if (op == nullptr) return unknown_op(node);
  Status status = check_operands(op->inputs, node.inputs, kMaxInputs, "input");
  if (status.ok()) status = check_operands(op->outputs, node.outputs, kMaxOutputs, "output");
  if (status.ok()) status = check_attributes(*op, node);
  if (!status.ok()) return status.in(cat("[ops] ", node.label()));
  return Attributes(*op, node, graph.opset(node.domain));
}

namespace {

// The types of a node's outputs, `checks` asking for errors of its operator.
Status type_node(const graph::Graph& graph, const graph::Node& node, bool checks,
                 std::vector<DType>& types) {
  std::array<DType, kMaxInputs> known{};
  for (size_t i = 0; i < std::min(node.inputs.size(), known.size()); ++i) {
    if (node.inputs[i] != graph::kNoValue) known[i] = types[static_cast<size_t>(node.inputs[i])];
  }
  const auto attributes = check_node(graph, node);
  if (checks && !attributes.ok() && find_op(graph, node) != nullptr) return attributes.status();
  const std::span<const DType> inputs(known.data(), std::min(node.inputs.size(), known.size()));
  Letters letters;
  if (attributes.ok()) {
    const Status status = check_types(attributes->op(), inputs, letters, allows);
    if (checks && !status.ok()) return status.in(cat("[ops] ", node.label()));
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == graph::kNoValue) continue;
    DType& type = types[static_cast<size_t>(node.outputs[i])];
    if (attributes.ok()) type = output_type(*attributes, i, inputs, letters);
    if (type == DType::kUndefined) type = graph.value(node.outputs[i]).type.dtype;
  }
  return {};
}

Status type_graph(const graph::Graph& graph, bool checks, std::vector<DType>& types) {
  types.resize(graph.value_count());
  for (size_t i = 0; i < types.size(); ++i) {
    const graph::Value& value = graph.value(static_cast<graph::ValueId>(i));
    if (value.initializer) types[i] = value.initializer->dtype;
  }
  for (graph::ValueId id : graph.inputs) {
    types[static_cast<size_t>(id)] = graph.value(id).type.dtype;
  }
  for (const graph::Node& node : graph.nodes) {
    ENM_RETURN_IF_ERROR(type_node(graph, node, checks, types));
  }
  return {};
}

}  // namespace

Status check_graph(const graph::Graph& graph) {
  std::vector<DType> types;
  return type_graph(graph, true, types);
}

std::vector<DType> infer_dtypes(const graph::Graph& graph) {
  std::vector<DType> types;
  (void)type_graph(graph, false, types).ok();
  return types;
}

Status infer(const Attributes& attributes, Inputs inputs, Outputs outputs) {
  const Op& op = attributes.op();
  Letters letters;
  std::array<DType, kMaxInputs> types{};
  for (size_t i = 0; i < inputs.size(); ++i) types[i] = inputs[i].dtype;
  const std::span<const DType> given(types.data(), inputs.size());
  ENM_RETURN_IF_ERROR(check_types(op, given, letters, is_exactly));
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Operand& operand = *op.input(i);
    if (!inputs[i].given() || operand.rank < 0 || operand.rank == inputs[i].rank) continue;
    return InvalidArgument("input ", i, " (", operand.name, ") is ", view_str(inputs[i]),
                           "; expected ", operand.rank, " dimensions");
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i] = {};
    outputs[i].dtype = output_type(attributes, i, given, letters);
    if (!op.output(i)->types.contains(outputs[i].dtype)) {
      return Unsupported("output ", i, " (", op.output(i)->name, ") would be ",
                         graph::dtype_name(outputs[i].dtype), "; expected ",
                         op.output(i)->types.str());
    }
  }
  ENM_RETURN_IF_ERROR(op.shape(attributes, inputs, outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto count = graph::checked_element_count(outputs[i].shape());
    if (!count.ok()) return count.status().in(cat("output ", i, " is ", view_str(outputs[i])));
  }
  return {};
}

}  // namespace enm::ops
