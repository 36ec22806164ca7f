#include "enm/net/hub_listing.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "enm/base/json.h"
#include "enm/distribution/manifest.h"

namespace enm::net {
namespace {

using distribution::ContentHash;
using distribution::RemoteFile;

constexpr JsonLimits kLimits{.max_bytes = kMaxListingBytes, .max_depth = 32};

bool is_hex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The keys of a file in the hub's two kinds of list.
struct Keys {
  std::string_view name;
  std::string_view blob;
  std::string_view sha256;  // within "lfs"
};
constexpr Keys kSiblingKeys{"rfilename", "blobId", "sha256"};
constexpr Keys kTreeKeys{"path", "oid", "oid"};

Status read_hash(const Json& entry, const Keys& keys, RemoteFile& file) {
  const Json* lfs = entry.find("lfs");
  const bool large = lfs != nullptr && lfs->is_object();
  file.hash.kind = large ? ContentHash::Kind::kSha256 : ContentHash::Kind::kGitBlob;
  ENM_ASSIGN_OR_RETURN(file.hash.hex,
                       large ? lfs->get_string(keys.sha256) : entry.get_string(keys.blob));
  if (!is_hex(file.hash.hex, large ? 64 : 40)) {
    return Corrupt(quoted(file.hash.hex), " is no ", large ? "SHA-256" : "git blob id");
  }
  if (!large) return Status();
  ENM_ASSIGN_OR_RETURN(const int64_t size, lfs->get_int("size"));
  if (static_cast<uint64_t>(size) == file.size) return Status();
  return Corrupt("two sizes, ", file.size, " and ", size);
}

// Adds the file of `entry`, unless no model may have its name or nothing is said of its bytes.
Status add_file(const Json& entry, const Keys& keys, std::vector<RemoteFile>& files) {
  RemoteFile file;
  ENM_ASSIGN_OR_RETURN(file.name, entry.get_string(keys.name));
  const Json* size = entry.find("size");
  if (!distribution::check_file_name(file.name).ok() || size == nullptr || size->is_null()) {
    return Status();
  }
  ENM_ASSIGN_OR_RETURN(const int64_t bytes, entry.get_int("size"));
  if (bytes < 0 || static_cast<uint64_t>(bytes) > distribution::kMaxTotalBytes) {
    return Corrupt(file.name, ": size ", bytes);
  }
  file.size = static_cast<uint64_t>(bytes);
  ENM_RETURN_IF_ERROR(read_hash(entry, keys, file).in(file.name));
  files.push_back(std::move(file));
  return Status();
}

Status add_files(const Json& entries, const Keys& keys, HubListing& listing) {
  if (!entries.is_array()) return Corrupt("expected a list of files");
  if (entries.items().size() > kMaxListedFiles - listing.files.size()) {
    return ResourceExhausted("more than ", kMaxListedFiles, " files");
  }
  for (const Json& entry : entries.items()) {
    if (!entry.is_object()) return Corrupt("expected files as objects");
    const Json* type = entry.find("type");  // a tree lists its folders, too
    if (type != nullptr && type->string() != "file") continue;
    ENM_RETURN_IF_ERROR(add_file(entry, keys, listing.files));
  }
  return Status();
}

constexpr std::string_view kConfig = "config.json";
constexpr std::string_view kIndex = "model.safetensors.index.json";
constexpr std::string_view kSingle = "model.safetensors";

constexpr std::array<std::string_view, 18> kCompanions = {"config.json",
                                                          "generation_config.json",
                                                          "tokenizer.json",
                                                          "tokenizer_config.json",
                                                          "tokenizer.model",
                                                          "special_tokens_map.json",
                                                          "added_tokens.json",
                                                          "vocab.json",
                                                          "vocab.txt",
                                                          "merges.txt",
                                                          "spiece.model",
                                                          "sentencepiece.bpe.model",
                                                          "chat_template.jinja",
                                                          "chat_template.json",
                                                          "modules.json",
                                                          "sentence_bert_config.json",
                                                          "config_sentence_transformers.json",
                                                          "1_Pooling/config.json"};

bool is_companion(std::string_view name) {
  return std::ranges::find(kCompanions, name) != kCompanions.end();
}

bool is_shard(std::string_view name) {
  return name.starts_with("model-") && name.ends_with(".safetensors") &&
         name.find("-of-") != std::string_view::npos && name.find('/') == std::string_view::npos;
}

bool is_onnx_part(std::string_view name, std::string_view model) {
  if (!name.starts_with(model)) return false;
  const std::string_view tail = name.substr(model.size());
  return tail.empty() || tail.starts_with("_data") || tail.starts_with(".data");
}

// The set that "stem-00001-of-00003.gguf" is a part of: its name without the part's number, and how
// many parts there are. Any other file is a set of its own.
struct Set {
  std::string name;
  size_t parts = 1;

  bool operator==(const Set&) const = default;
};

Set set_of(std::string_view name) {
  constexpr std::string_view kPattern = "-ddddd-of-ddddd";
  const size_t dot = std::min(name.rfind('.'), name.size());
  Set set{std::string(name)};
  if (dot <= kPattern.size()) return set;
  const std::string_view tail = name.substr(dot - kPattern.size(), kPattern.size());
  for (size_t i = 0; i < tail.size(); ++i) {
    const bool digit = tail[i] >= '0' && tail[i] <= '9';
    if (kPattern[i] == 'd' ? !digit : tail[i] != kPattern[i]) return set;
  }
  set.name = cat(name.substr(0, dot - tail.size()), tail.substr(6), name.substr(dot));
  std::from_chars(name.data() + dot - 5, name.data() + dot, set.parts);
  return set;
}

class Chooser {
 public:
  Chooser(const HubListing& listing, const HubRef& ref) : listing_(listing), ref_(ref) {}

  // All parts of each set: what is not listed would be missed only when the model is loaded.
  Result<std::vector<RemoteFile>> choose() const {
    ENM_ASSIGN_OR_RETURN(std::vector<RemoteFile> files, choose_form());
    if (files.size() > distribution::kMaxArtifacts) {
      return ResourceExhausted(ref_.text(), " has ", files.size(), " files that it needs; at most ",
                               distribution::kMaxArtifacts, " are accepted");
    }
    for (const RemoteFile& file : files) {
      const Set set = set_of(file.name);
      const auto here = static_cast<size_t>(std::ranges::count_if(
          files, [&](const RemoteFile& other) { return set_of(other.name) == set; }));
      if (here != set.parts) {
        return NotFound(ref_.text(), " has ", here, " of the ", set.parts, " files of ", set.name);
      }
    }
    return files;
  }

 private:
  Result<std::vector<RemoteFile>> choose_form() const {
    if (ref_.file.ends_with(".gguf")) return gguf(ref_.file);
    if (!ref_.file.empty()) return onnx(ref_.file);
    const bool sharded = has(kIndex);
    if (sharded || has(kSingle)) {
      if (!has(kConfig)) return missing(kConfig);
      return take([&](const auto& name) {
        return sharded ? name == kIndex || is_shard(name) : name == kSingle;
      });
    }
    for (const char* name : {"model.onnx", "onnx/model.onnx"}) {
      if (has(name)) return onnx(name);
    }
    return only_gguf();
  }

  bool has(std::string_view name) const {
    return std::ranges::find(listing_.files, name, &RemoteFile::name) != listing_.files.end();
  }

  template <typename Wanted>
  std::vector<RemoteFile> take(const Wanted& wanted, bool companions = true) const {
    std::vector<RemoteFile> out;
    for (const RemoteFile& file : listing_.files) {
      if (wanted(file.name) || (companions && is_companion(file.name))) out.push_back(file);
    }
    return out;
  }

  Result<std::vector<RemoteFile>> onnx(std::string_view model) const {
    if (!has(model)) return missing(model);
    return take([&](const auto& name) { return is_onnx_part(name, model); });
  }

  Result<std::vector<RemoteFile>> gguf(std::string_view model) const {
    if (!has(model)) return missing(model);
    const Set set = set_of(model);
    return take([&](const auto& name) { return set_of(name) == set; }, false);
  }

  Result<std::vector<RemoteFile>> only_gguf() const {
    std::vector<std::string> sets;  // each by its first file
    for (const RemoteFile& file : listing_.files) {
      if (file.name.ends_with(".gguf") &&
          (sets.empty() || set_of(sets.back()) != set_of(file.name))) {
        sets.push_back(file.name);
      }
    }
    if (sets.size() == 1) return gguf(sets.front());
    if (sets.empty()) {
      return Unsupported(ref_.text(), " has no model.safetensors, .onnx or .gguf file",
                         listing_.files.empty() ? "" : cat("; it has ", some_names("")));
    }
    return InvalidArgument(ref_.text(), " has ", sets.size(), " models; name one, as in ",
                           ref_.text(), "/", sets.front(), ". There are ", some_names(".gguf"));
  }

  Status missing(std::string_view name) const {
    const std::string_view kind = name.substr(name.rfind('.'));
    const std::string there = some_names(kind);
    return NotFound(ref_.text(), ": no file ", quoted(name),
                    there.empty() ? "" : cat("; there are ", there));
  }

  std::string some_names(std::string_view ending) const {
    constexpr size_t kMost = 12;
    std::vector<std::string> names;
    for (const RemoteFile& file : listing_.files) {
      if (!file.name.ends_with(ending)) continue;
      names.push_back(names.size() < kMost ? file.name : "...");
      if (names.size() > kMost) break;
    }
    return join(names, ", ");
  }

  const HubListing& listing_;
  const HubRef& ref_;
};

}  // namespace

Result<HubListing> parse_hub_revision(std::string_view text) {
  ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(text, kLimits));
  HubListing listing;
  ENM_ASSIGN_OR_RETURN(listing.commit, json.get_string("sha"));
  if (!is_hex(listing.commit, 40)) return Corrupt(quoted(listing.commit), " is no commit");
  const Json* files = json.find("siblings");
  if (files != nullptr) ENM_RETURN_IF_ERROR(add_files(*files, kSiblingKeys, listing));
  return listing;
}

Status add_hub_tree(std::string_view text, HubListing& listing) {
  ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(text, kLimits));
  return add_files(json, kTreeKeys, listing);
}

Status finish_hub_listing(HubListing& listing) {
  std::ranges::sort(listing.files, {}, &RemoteFile::name);
  const auto twice = std::ranges::adjacent_find(listing.files, {}, &RemoteFile::name);
  if (twice == listing.files.end()) return Status();
  return Corrupt("file ", quoted(twice->name), " stands twice");
}

Result<std::vector<RemoteFile>> choose_hub_files(const HubListing& listing, const HubRef& ref) {
  return Chooser(listing, ref).choose();
}

std::string hub_model_file(const std::vector<std::string>& names, const HubRef& ref) {
  if (ref.file.ends_with(".onnx")) return ref.file;
  const auto gguf = std::ranges::find_if(names, [](auto& name) { return name.ends_with(".gguf"); });
  return gguf == names.end() ? std::string() : *gguf;
}

}  // namespace enm::net
