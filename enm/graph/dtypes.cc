#include "enm/graph/dtypes.h"

#include <array>
#include <string_view>

namespace enm::graph {
namespace {

// Operators whose outputs have one type whatever they are given.
struct FixedType {
  std::string_view op;
  DType type;
};
constexpr std::array kFixed = {FixedType{"Shape", DType::kInt64},
                               FixedType{"Size", DType::kInt64},
                               FixedType{"NonZero", DType::kInt64},
                               FixedType{"ArgMax", DType::kInt64},
                               FixedType{"ArgMin", DType::kInt64},
                               FixedType{"Equal", DType::kBool},
                               FixedType{"Less", DType::kBool},
                               FixedType{"LessOrEqual", DType::kBool},
                               FixedType{"Greater", DType::kBool},
                               FixedType{"GreaterOrEqual", DType::kBool},
                               FixedType{"Not", DType::kBool},
                               FixedType{"And", DType::kBool},
                               FixedType{"Or", DType::kBool},
                               FixedType{"Xor", DType::kBool},
                               FixedType{"IsNaN", DType::kBool},
                               FixedType{"IsInf", DType::kBool},
                               FixedType{"MatMulInteger", DType::kInt32}};

// Operators whose outputs have the type of an input that is not the first.
struct TypeOfInput {
  std::string_view op;
  size_t input;
};
constexpr std::array kOfInput = {
    TypeOfInput{"Where", 1}, TypeOfInput{"OneHot", 2}, TypeOfInput{"DequantizeLinear", 1},
    TypeOfInput{"MatMulIntegerToFloat", 2}, TypeOfInput{"GatherBlockQuantized", 2}};

DType type_of_output(const Node& node, size_t output, const std::vector<DType>& types) {
  const auto input = [&](size_t index) {
    const ValueId id = node.input(index);
    return id == kNoValue ? DType::kUndefined : types[static_cast<size_t>(id)];
  };
  for (const FixedType& rule : kFixed) {
    if (rule.op == node.op_type) return rule.type;
  }
  for (const TypeOfInput& rule : kOfInput) {
    if (rule.op == node.op_type) return input(rule.input);
  }
  if (node.op_type == "Cast") return static_cast<DType>(node.int_or("to", 0));
  if (node.op_type == "DynamicQuantizeLinear") {
    return output == 1 ? DType::kFloat32 : DType::kUint8;
  }
  if (node.op_type == "QuantizeLinear") {
    return node.input(2) == kNoValue ? DType::kUint8 : input(2);
  }
  if (node.op_type == "Constant" || node.op_type == "ConstantOfShape") {
    const Tensor* value = node.tensor("value");
    if (value != nullptr) return value->dtype;
    return node.op_type == "ConstantOfShape" ? DType::kFloat32 : DType::kUndefined;
  }
  return input(0);
}

}  // namespace

std::vector<DType> infer_dtypes(const Graph& graph) {
  std::vector<DType> types(graph.value_count());
  for (size_t i = 0; i < types.size(); ++i) {
    const Value& value = graph.value(static_cast<ValueId>(i));
    types[i] = value.initializer ? value.initializer->dtype : value.type.dtype;
  }
  for (const Node& node : graph.nodes) {
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      DType& type = types[static_cast<size_t>(node.outputs[i])];
      if (type == DType::kUndefined) type = type_of_output(node, i, types);
    }
  }
  return types;
}

}  // namespace enm::graph
