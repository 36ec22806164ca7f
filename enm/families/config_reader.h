// config.json with an account of which keys were read, so that a key which changes the numbers and
// which nobody understood is an error instead of a wrong model. The first failure stays and
// finish() tells it; until then a value that is wrong reads as its fallback, or as 1.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/json.h"

namespace enm::families {

class ConfigReader {
 public:
  explicit ConfigReader(const Json& config) : config_(config) {}

  // Keys are literals: their text outlives the reader.
  int64_t positive(std::string_view key);
  int64_t positive(std::string_view key, int64_t fallback);
  /// From 0.
  int64_t count(std::string_view key, int64_t fallback);
  double number(std::string_view key, double fallback);
  std::vector<double> numbers(std::string_view key);
  bool flag(std::string_view key, bool fallback);
  std::string text(std::string_view key, std::string_view fallback);
  /// The value must be what it says (or absent): kUnsupported otherwise.
  void require_flag(std::string_view key, bool expected);
  void require(std::string_view key, std::string_view expected);

  const Json* find(std::string_view key);

  void fail(Status status);

  /// What failed first, or else kUnsupported naming the first key that was neither read above nor
  /// is in `harmless`, the keys that do not change what the model computes at inference. Null
  /// values never do.
  Status finish(std::span<const std::string_view> harmless = {}) const;

 private:
  const Json& config_;
  std::vector<std::string_view> read_;
  Status status_;
};

}  // namespace enm::families
