#include "enm/graph/graph.h"

#include <algorithm>

#include "enm/base/strings.h"

namespace enm::graph {
namespace {

template <typename T>
const T* attribute(const Node& node, std::string_view key) {
  const auto found = node.attributes.find(key);
  return found == node.attributes.end() ? nullptr : std::get_if<T>(&found->second);
}

}  // namespace

int64_t Node::int_or(std::string_view key, int64_t fallback) const {
  const auto* value = attribute<int64_t>(*this, key);
  return value ? *value : fallback;
}

float Node::float_or(std::string_view key, float fallback) const {
  const auto* value = attribute<float>(*this, key);
  return value ? *value : fallback;
}

std::string_view Node::string_or(std::string_view key, std::string_view fallback) const {
  const auto* value = attribute<std::string>(*this, key);
  return value ? std::string_view(*value) : fallback;
}

const std::vector<int64_t>* Node::ints(std::string_view key) const {
  return attribute<std::vector<int64_t>>(*this, key);
}

const Tensor* Node::tensor(std::string_view key) const { return attribute<Tensor>(*this, key); }

std::string Node::label() const {
  return cat(shown(domain), domain.empty() ? "" : ".", shown(op_type), " '", shown(name), "'");
}

int64_t Graph::opset(std::string_view domain) const {
  const auto found = opsets.find(domain);
  return found == opsets.end() ? 1 : found->second;
}

ValueId Graph::add_value(std::string value_name, Type type) {
  const auto id = static_cast<ValueId>(values_.size());
  by_name_.emplace(value_name, id);
  values_.push_back(Value{std::move(value_name), std::move(type), std::nullopt});
  return id;
}

ValueId Graph::add_input(std::string value_name, Type type) {
  inputs.push_back(add_value(std::move(value_name), std::move(type)));
  return inputs.back();
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  const ValueId id = add_value(std::move(value_name), tensor.type());
  value(id).initializer = std::move(tensor);
  return id;
}

std::string Graph::unique_name(std::string_view base) const {
  std::string candidate(base);
  for (int n = 1; by_name_.contains(candidate); ++n) candidate = cat(base, "_", n);
  return candidate;
}

ValueId Graph::find_value(std::string_view value_name) const {
  const auto found = by_name_.find(std::string(value_name));
  return found == by_name_.end() ? kNoValue : found->second;
}

void Graph::rename(ValueId id, std::string value_name) {
  by_name_.erase(value(id).name);
  by_name_.emplace(value_name, id);
  value(id).name = std::move(value_name);
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
  std::replace(outputs.begin(), outputs.end(), from, to);
}

}  // namespace enm::graph
