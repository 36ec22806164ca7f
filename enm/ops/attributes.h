// A node's attributes as its row lists them: kinds checked, defaults filled in.
#pragma once

#include "enm/ops/op.h"

namespace enm::ops {

/// A view: row and node outlive it. Reading a name that the row does not list is a bug and traps.
class Attributes {
 public:
  Attributes(const Op& op, const graph::Node& node, int64_t opset)
      : op_(&op), node_(&node), opset_(opset) {}

  const Op& op() const { return *op_; }
  const graph::Node& node() const { return *node_; }
  /// Of the operator's domain.
  int64_t opset() const { return opset_; }

  bool has(std::string_view name) const { return value(name) != nullptr; }
  int64_t integer(std::string_view name) const;
  bool flag(std::string_view name) const { return integer(name) != 0; }
  float number(std::string_view name) const;
  std::string_view text(std::string_view name) const;
  /// Empty where absent: ask has() where that differs from an empty list.
  std::span<const int64_t> integers(std::string_view name) const;
  std::span<const float> numbers(std::string_view name) const;
  const graph::Tensor* tensor(std::string_view name) const;

 private:
  const AttributeSpec& spec(std::string_view name) const;
  const graph::Attribute* value(std::string_view name) const;
  template <typename T>
  const T* get(std::string_view name) const;

  const Op* op_;
  const graph::Node* node_;
  int64_t opset_;
};

}  // namespace enm::ops
