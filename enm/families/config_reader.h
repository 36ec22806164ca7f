// config.json with an account of which keys were read, so that a key which changes the numbers and
// which nobody understood is an error instead of a wrong model.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "enm/base/json.h"

namespace enm::families {

class ConfigReader {
 public:
  explicit ConfigReader(const Json& config) : config_(config) {}

  Result<int64_t> positive(std::string_view key);
  Result<int64_t> positive(std::string_view key, int64_t fallback);
  /// From 0.
  Result<int64_t> count(std::string_view key, int64_t fallback);
  Result<double> number(std::string_view key, double fallback);
  Result<std::vector<double>> numbers(std::string_view key);
  Result<bool> flag(std::string_view key, bool fallback);
  Result<std::string> text(std::string_view key, std::string_view fallback);
  /// The value must be what it says (or absent): kUnsupported otherwise.
  Status require_flag(std::string_view key, bool expected);
  Status require(std::string_view key, std::string_view expected);

  const Json* find(std::string_view key);

  /// kUnsupported naming the first key that was neither read above nor is in `harmless`, the keys
  /// that do not change what the model computes at inference. Null values never do.
  Status finish(std::span<const std::string_view> harmless) const;

 private:
  const Json& config_;
  std::set<std::string, std::less<>> read_;
};

/// Keys that say how a checkpoint was made, is generated from or stored; common to all families.
std::span<const std::string_view> harmless_keys();

}  // namespace enm::families
