#include "enm/ops/attributes.h"

namespace enm::ops {

const AttributeSpec& Attributes::spec(std::string_view name) const {
  for (const AttributeSpec& one : op_->attributes) {
    if (one.name == name) return one;
  }
  __builtin_trap();
}

const graph::Attribute* Attributes::value(std::string_view name) const {
  const auto found = node_->attributes.find(name);
  return found == node_->attributes.end() ? nullptr : &found->second;
}

template <typename T>
const T* Attributes::get(std::string_view name) const {
  const graph::Attribute* found = value(name);
  return found == nullptr ? nullptr : std::get_if<T>(found);
}

int64_t Attributes::integer(std::string_view name) const {
  const int64_t fallback = spec(name).integer_default;
  const auto* given = get<int64_t>(name);
  return given != nullptr ? *given : fallback;
}

float Attributes::number(std::string_view name) const {
  const float fallback = spec(name).real_default;
  const auto* given = get<float>(name);
  return given != nullptr ? *given : fallback;
}

std::string_view Attributes::text(std::string_view name) const {
  const char* fallback = spec(name).string_default;
  const auto* given = get<std::string>(name);
  return given != nullptr ? std::string_view(*given) : fallback;
}

std::span<const int64_t> Attributes::integers(std::string_view name) const {
  const auto* given = get<std::vector<int64_t>>(name);
  return given != nullptr ? std::span<const int64_t>(*given) : std::span<const int64_t>();
}

std::span<const float> Attributes::numbers(std::string_view name) const {
  const auto* given = get<std::vector<float>>(name);
  return given != nullptr ? std::span<const float>(*given) : std::span<const float>();
}

const graph::Tensor* Attributes::tensor(std::string_view name) const {
  return get<graph::Tensor>(name);
}

}  // namespace enm::ops
