// Settings: ~/.edge-net/models.yaml, the environment above it, flags above that.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/status.h"

namespace cli {

/// One setting as `config show` lists it.
struct Setting {
  std::string key;  // dotted path in the file: "cache.directory"
  std::string value;
  std::string origin;  // "default", "file", "flag", or the environment variable's name
};

class Config {
 public:
  /// Reads the file of EDGE_NET_CONFIG or ~/.edge-net/models.yaml, if it is there, and the
  /// environment. Unknown keys are errors that name the line.
  static enm::Result<Config> load();

  /// The value in force; every known key has one (empty where there is no default).
  const std::string& get(std::string_view key) const;

  /// Values with a unit or a leading "~" made usable.
  std::string cache_directory() const;
  enm::Result<uint64_t> cache_max_size() const;
  std::string registry() const { return get("registry"); }
  /// A setting that is a whole number below 10^9.
  int number(std::string_view key) const;
  std::string keys_directory() const;
  std::string signing_key_path() const;
  std::string signing_key_id() const { return get("signing.keyId"); }

  /// For eyes: secrets are left out.
  std::vector<Setting> list() const;

  /// For this run only.
  enm::Status override_by_flag(std::string_view key, std::string_view value);

  /// Writes one setting to the file, keeping the others. The short names of the command line
  /// (defaultSource, cacheDir) are understood.
  static enm::Status set(std::string_view key, std::string_view value);

  static std::string file_path();

 private:
  std::map<std::string, Setting, std::less<>> settings_;
};

/// "~" and "~/x" with the home folder put in.
std::string expand_home(std::string_view path);

}  // namespace cli
