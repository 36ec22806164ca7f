#include "cli/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>

#include "cli/output/format.h"
#include "enm/base/bytes.h"
#include "enm/base/file_posix.h"

namespace cli {
namespace {

enum class Kind { kText, kNumber, kBytes, kBool, kUrl, kSecret };

struct Known {
  std::string_view key;
  std::string_view fallback;
  const char* environment;  // null if there is none
  Kind kind;
  const char* shared = nullptr;  // a variable that other programs read too; below `environment`
};

constexpr std::array kKnown = {
    Known{"version", "1", nullptr, Kind::kNumber},
    Known{"defaultSource", "http", nullptr, Kind::kText},
    Known{"registry", "http://127.0.0.1:8420", "EDGE_NET_REGISTRY", Kind::kUrl},
    Known{"cache.directory", "~/.edge-net/models", "EDGE_NET_CACHE", Kind::kText},
    Known{"cache.maxSize", "10GB", "EDGE_NET_CACHE_MAX_SIZE", Kind::kBytes},
    Known{"cache.autoCleanup", "true", nullptr, Kind::kBool},
    Known{"download.parallel", "4", nullptr, Kind::kNumber},
    Known{"download.timeout", "30000", nullptr, Kind::kNumber},
    Known{"download.retries", "3", nullptr, Kind::kNumber},
    Known{"hub.endpoint", "https://huggingface.co", "EDGE_NET_HUB_ENDPOINT", Kind::kText,
          "HF_ENDPOINT"},
    Known{"hub.token", "", "EDGE_NET_HUB_TOKEN", Kind::kSecret, "HF_TOKEN"},
    Known{"registryServer.data", "~/.edge-net/registry", "EDGE_NET_REGISTRY_DATA", Kind::kText},
    Known{"keys.directory", "~/.edge-net/keys", "EDGE_NET_KEYS", Kind::kText},
    Known{"signing.keyPath", "~/.edge-net/keys/private.pem", "EDGE_NET_SIGNING_KEY", Kind::kText},
    Known{"signing.keyId", "", "EDGE_NET_KEY_ID", Kind::kText},
};

constexpr uint64_t kMaxFileBytes = 1 << 20;

const Known* find_known(std::string_view key) {
  for (const Known& known : kKnown) {
    if (known.key == key) return &known;
  }
  return nullptr;
}

// The command line's short names for settings of the file.
std::string_view full_key(std::string_view key) {
  if (key == "cacheDir") return "cache.directory";
  if (key == "cacheMaxSize") return "cache.maxSize";
  return key;
}

enm::Status check_value(const Known& known, const std::string& value) {
  const auto refuse = [&](std::string_view expected) {
    return enm::InvalidArgument("setting ", known.key, ": expected ", expected, ", got ",
                                enm::quoted(value));
  };
  switch (known.kind) {
    case Kind::kText:
    case Kind::kSecret:
      return {};
    case Kind::kNumber:
      if (value.empty() || value.size() > 9 ||
          value.find_first_not_of("0123456789") != std::string::npos) {
        return refuse("a whole number");
      }
      return {};
    case Kind::kBool:
      return value == "true" || value == "false" ? enm::Status() : refuse("true or false");
    case Kind::kBytes:
      return parse_bytes(value).ok() ? enm::Status() : refuse("a size such as 10GB");
    case Kind::kUrl:
      return value.starts_with("http://") || value.starts_with("https://") ||
                     value.starts_with("file:///")
                 ? enm::Status()
                 : refuse("a URL that begins with http://, https:// or file:///");
  }
  return {};
}

// Sections of transports and choices that this build does not have: a file that serves other builds
// too may hold them. Whoever asks for such a source (defaultSource: gcs) is told that it is not
// here.
constexpr std::array<std::string_view, 3> kOtherSections = {"cdn", "ipfs", "preferences"};

// Flattens nested maps into dotted keys.
enm::Status flatten(const YAML::Node& node, const std::string& prefix,
                    std::map<std::string, std::string>& out) {
  if (node.IsScalar()) {
    if (find_known(prefix) == nullptr) {
      return enm::InvalidArgument("line ", node.Mark().line + 1, ": unknown setting ",
                                  enm::quoted(prefix), "; `config show` lists the known ones");
    }
    out[prefix] = node.Scalar();
    return {};
  }
  if (node.IsNull()) return {};
  if (!node.IsMap()) {
    return enm::InvalidArgument("line ", node.Mark().line + 1, ": expected a value or a section");
  }
  for (const auto& member : node) {
    const std::string key = member.first.as<std::string>("");
    if (prefix.empty() && std::ranges::find(kOtherSections, key) != kOtherSections.end()) continue;
    ENM_RETURN_IF_ERROR(
        flatten(member.second, prefix.empty() ? key : enm::cat(prefix, ".", key), out));
  }
  return {};
}

enm::Result<std::map<std::string, std::string>> read_settings(const std::string& path) {
  std::map<std::string, std::string> out;
  const auto bytes = enm::read_file(path, kMaxFileBytes);
  if (bytes.status().code() == enm::Code::kNotFound) return out;
  if (!bytes.ok()) return bytes.status();
  try {
    const YAML::Node root = YAML::Load(std::string(enm::as_text(*bytes)));
    if (const enm::Status status = flatten(root, "", out); !status.ok()) return status.in(path);
  } catch (const YAML::Exception& error) {
    return enm::InvalidArgument(path, ": line ", error.mark.line + 1, ": ", error.msg);
  }
  return out;
}

}  // namespace

std::string expand_home(std::string_view path) {
  if (path != "~" && !path.starts_with("~/")) return std::string(path);
  const char* home = std::getenv("HOME");
  return enm::cat(home != nullptr ? home : ".", path.substr(1));
}

std::string Config::file_path() {
  const char* path = std::getenv("EDGE_NET_CONFIG");
  return path != nullptr && *path != '\0' ? path : expand_home("~/.edge-net/models.yaml");
}

enm::Result<Config> Config::load() {
  ENM_ASSIGN_OR_RETURN(const auto from_file, read_settings(file_path()));
  Config config;
  for (const Known& known : kKnown) {
    Setting setting{std::string(known.key), std::string(known.fallback), "default"};
    if (const auto found = from_file.find(setting.key); found != from_file.end()) {
      setting.value = found->second;
      setting.origin = "file";
    }
    for (const char* variable : {known.shared, known.environment}) {
      const char* value = variable != nullptr ? std::getenv(variable) : nullptr;
      if (value == nullptr || *value == '\0') continue;
      setting.value = value;
      setting.origin = variable;
    }
    if (const enm::Status status = check_value(known, setting.value); !status.ok()) {
      return status.in(setting.origin == "file" ? file_path() : setting.origin);
    }
    config.settings_.emplace(setting.key, setting);
  }
  return config;
}

const std::string& Config::get(std::string_view key) const {
  static const std::string kEmpty;
  const auto found = settings_.find(key);
  return found == settings_.end() ? kEmpty : found->second.value;
}

std::string Config::cache_directory() const { return expand_home(get("cache.directory")); }
enm::Result<uint64_t> Config::cache_max_size() const { return parse_bytes(get("cache.maxSize")); }
int Config::number(std::string_view key) const { return std::atoi(get(key).c_str()); }
std::string Config::keys_directory() const { return expand_home(get("keys.directory")); }
std::string Config::signing_key_path() const { return expand_home(get("signing.keyPath")); }

enm::Status Config::override_by_flag(std::string_view key, std::string_view value) {
  ENM_RETURN_IF_ERROR(check_value(*find_known(key), std::string(value)));
  settings_.find(key)->second = {std::string(key), std::string(value), "flag"};
  return {};
}

std::vector<Setting> Config::list() const {
  std::vector<Setting> out;
  for (const Known& known : kKnown) {
    out.push_back(settings_.find(known.key)->second);
    if (known.kind == Kind::kSecret && !out.back().value.empty()) out.back().value = "(not shown)";
  }
  return out;
}

enm::Status Config::set(std::string_view key, std::string_view value) {
  const Known* known = find_known(full_key(key));
  if (known == nullptr) {
    return enm::InvalidArgument("unknown setting ", enm::quoted(key),
                                "; `config show` lists the known ones");
  }
  ENM_RETURN_IF_ERROR(check_value(*known, std::string(value)));
  const std::string path = file_path();
  ENM_ASSIGN_OR_RETURN(auto settings, read_settings(path));
  settings[std::string(known->key)] = value;
  settings.try_emplace("version", "1");

  YAML::Node root;
  for (const auto& [name, text] : settings) {
    const size_t dot = name.find('.');
    if (dot == std::string::npos) {
      root[name] = text;
    } else {
      root[name.substr(0, dot)][name.substr(dot + 1)] = text;
    }
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  const unsigned mode = settings.contains("hub.token") ? 0600 : 0644;
  return enm::write_file_atomically(path, enm::as_bytes(YAML::Dump(root) + "\n"), mode);
}

}  // namespace cli
