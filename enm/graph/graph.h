// The IR that every importer, pass, quantizer, runtime and exporter speaks: ONNX operators (and the
// com.microsoft contrib ones) over named values, nodes in topological order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "enm/graph/tensor.h"
#include "enm/graph/type.h"

namespace enm::graph {

using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;  // an optional input or output that is not given

/// An attribute whose kind the IR does not model (a subgraph, a sparse tensor): its protobuf bytes,
/// carried through unread so that tools do not lose what they do not understand.
struct OpaqueAttribute {
  std::vector<uint8_t> attribute_proto;
};

using Attribute = std::variant<int64_t, float, std::string, Tensor, std::vector<int64_t>,
                               std::vector<float>, std::vector<std::string>, OpaqueAttribute>;

inline constexpr std::string_view kMicrosoft = "com.microsoft";

struct Node {
  std::string op_type;  // "MatMul"
  std::string domain;   // "" for ai.onnx, "com.microsoft", ...
  std::string name;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::map<std::string, Attribute, std::less<>> attributes;

  bool is(std::string_view op, std::string_view in_domain = "") const {
    return op_type == op && domain == in_domain;
  }
  /// The input's value, or kNoValue where it is absent or beyond the end.
  ValueId input(size_t index) const { return index < inputs.size() ? inputs[index] : kNoValue; }
  ValueId output(size_t index) const { return index < outputs.size() ? outputs[index] : kNoValue; }

  // Attributes with the default that the operator's schema gives. A wrong kind reads as the
  // default: the verifier has refused it before.
  int64_t int_or(std::string_view key, int64_t fallback) const;
  float float_or(std::string_view key, float fallback) const;
  std::string_view string_or(std::string_view key, std::string_view fallback) const;
  const std::vector<int64_t>* ints(std::string_view key) const;
  const Tensor* tensor(std::string_view key) const;

  /// "MatMul 'layers.0.q_proj'", "com.microsoft.MatMulNBits 'head'": for messages, safe to show.
  std::string label() const;
};

struct Value {
  std::string name;
  Type type;
  std::optional<Tensor> initializer;  // set for constants
};

class Graph {
 public:
  std::string name;
  std::string producer;                                // "edge-net-models 0.1.0", or the file's
  std::map<std::string, int64_t, std::less<>> opsets;  // domain -> version
  std::map<std::string, std::string> metadata;
  std::vector<Node> nodes;      // producers before users
  std::vector<ValueId> inputs;  // without initializers
  std::vector<ValueId> outputs;

  /// The version of a domain's operators; 1 where the graph does not say.
  int64_t opset(std::string_view domain) const;

  /// A new value; its name must be unused (find_value first where that is not certain).
  ValueId add_value(std::string value_name, Type type = {});
  ValueId add_input(std::string value_name, Type type);
  ValueId add_constant(std::string value_name, Tensor tensor);
  /// `base`, or base_1, base_2, ...: the first that no value has.
  std::string unique_name(std::string_view base) const;

  /// The value of that name or kNoValue.
  ValueId find_value(std::string_view value_name) const;

  size_t value_count() const { return values_.size(); }
  Value& value(ValueId id) { return values_[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }

  /// The constant's tensor, or null if the value is absent or computed.
  const Tensor* constant(ValueId id) const {
    return id == kNoValue || !value(id).initializer ? nullptr : &*value(id).initializer;
  }

  /// Gives a value another name; the old one becomes free. The new one must be unused.
  void rename(ValueId id, std::string value_name);

  /// Every reader of `from` reads `to` instead, graph outputs included.
  void replace_uses(ValueId from, ValueId to);

 private:
  std::vector<Value> values_;
  std::unordered_map<std::string, ValueId> by_name_;
};

}  // namespace enm::graph
