#include "enm/distribution/manifest.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "enm/base/file.h"
#include "enm/distribution/canonical.h"

namespace enm::distribution {
namespace {

constexpr size_t kMaxTextBytes = 1024;
constexpr size_t kMaxArtifactName = 255;
constexpr size_t kMaxFilename = 255;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// ASCII lower case: file systems differ on whether "A" and "a" are one name.
std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// Device names that Windows finds in every folder, with or without an extension.
bool is_device(std::string_view part) {
  const std::string stem = folded(part.substr(0, part.find('.')));
  if (stem == "con" || stem == "prn" || stem == "aux" || stem == "nul") return true;
  return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) &&
         is_digit(stem[3]);
}

Status check_artifact_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxArtifactName || name == "signature" || name == "manifest") {
    return Corrupt("artifact name ", quoted(name), "; expected 1 to ", kMaxArtifactName,
                   " bytes, and not \"manifest\" or \"signature\"");
  }
  return check_file_name(name);
}

Result<uint64_t> read_size(const Json& json) {
  ENM_ASSIGN_OR_RETURN(const int64_t size, json.get_int("size"));
  if (size < 0 || static_cast<uint64_t>(size) > kMaxTotalBytes) {
    return Corrupt("key \"size\": got ", size, ", expected 0 to ", kMaxTotalBytes);
  }
  return static_cast<uint64_t>(size);
}

Result<Digest> read_digest(const Json& json, std::string_view key) {
  ENM_ASSIGN_OR_RETURN(const std::string text, json.get_string(key));
  const Result<Digest> digest = digest_from_hex(text);
  if (!digest.ok()) return digest.status().in(cat("key ", quoted(key)));
  return *digest;
}

Result<std::vector<Digest>> read_chunks(const Json& json, uint64_t size) {
  ENM_ASSIGN_OR_RETURN(const Json* list, json.get("chunks"));
  if (!list->is_array() || list->items().size() != chunk_count(size)) {
    return Corrupt("key \"chunks\": expected ", chunk_count(size), " digests for ", size,
                   " bytes, got ", list->items().size());
  }
  std::vector<Digest> chunks;
  chunks.reserve(list->items().size());
  for (const Json& item : list->items()) {
    if (!item.is_string()) return Corrupt("key \"chunks\": expected strings");
    ENM_ASSIGN_OR_RETURN(const Digest digest, digest_from_hex(item.string()));
    chunks.push_back(digest);
  }
  return chunks;
}

Result<Artifact> read_artifact(const std::string& name, const Json& json) {
  Artifact artifact;
  artifact.name = name;
  ENM_RETURN_IF_ERROR(check_artifact_name(name));
  ENM_ASSIGN_OR_RETURN(artifact.filename, json.get_string("filename"));
  ENM_RETURN_IF_ERROR(check_file_name(artifact.filename));
  ENM_ASSIGN_OR_RETURN(artifact.digest.size, read_size(json));
  ENM_ASSIGN_OR_RETURN(artifact.digest.sha256, read_digest(json, "sha256"));
  ENM_ASSIGN_OR_RETURN(artifact.digest.chunks, read_chunks(json, artifact.digest.size));
  ENM_ASSIGN_OR_RETURN(const Digest root, read_digest(json, "merkleRoot"));
  if (root != merkle_root(artifact.digest.chunks)) {
    return Corrupt("key \"merkleRoot\": got ", to_hex(root), ", the chunks have ",
                   to_hex(merkle_root(artifact.digest.chunks)));
  }
  ENM_ASSIGN_OR_RETURN(const std::string got, json.get_string("cid"));
  const std::string expected = cid(artifact.digest.size, artifact.digest.chunks);
  if (got != expected) {
    return Corrupt("key \"cid\": got ", quoted(got), ", the chunks have ", expected);
  }
  return artifact;
}

/// No two files of one name, also where upper and lower case are one, and no file where another
/// has a folder.
Status check_collisions(const std::vector<Artifact>& artifacts) {
  std::set<std::string, std::less<>> names;
  for (const Artifact& artifact : artifacts) {
    if (!names.insert(folded(artifact.filename)).second) {
      return Corrupt("file name ", quoted(artifact.filename), " stands twice");
    }
  }
  for (const std::string& name : names) {
    for (size_t slash = name.find('/'); slash != std::string::npos;
         slash = name.find('/', slash + 1)) {
      if (names.contains(std::string_view(name).substr(0, slash))) {
        return Corrupt("file name ", quoted(name), " needs a folder where another file is");
      }
    }
  }
  return Status();
}

Result<std::vector<Artifact>> read_artifacts(const Json& json) {
  ENM_ASSIGN_OR_RETURN(const Json* object, json.get("artifacts"));
  if (!object->is_object() || object->members().empty()) {
    return Corrupt("key \"artifacts\": expected an object with at least one member");
  }
  if (object->members().size() > kMaxArtifacts) {
    return ResourceExhausted(object->members().size(), " artifacts; at most ", kMaxArtifacts,
                             " are accepted");
  }
  std::vector<Artifact> artifacts;
  uint64_t total = 0;
  for (const auto& [name, member] : object->members()) {
    Result<Artifact> artifact = read_artifact(name, member);
    if (!artifact.ok()) return artifact.status().in(cat("artifact ", quoted(name)));
    total += artifact->digest.size;
    artifacts.push_back(*std::move(artifact));
  }
  if (total > kMaxTotalBytes) {
    return ResourceExhausted(total, " bytes in all; at most ", kMaxTotalBytes, " are accepted");
  }
  ENM_RETURN_IF_ERROR(check_collisions(artifacts));
  return artifacts;
}

/// The one profile there is; it is said in every manifest so that another one can come later.
Status check_integrity(const Json& json) {
  ENM_ASSIGN_OR_RETURN(const Json* profile, json.get("integrity"));
  ENM_ASSIGN_OR_RETURN(const std::string hash, profile->get_string("hash"));
  ENM_ASSIGN_OR_RETURN(const int64_t chunk_size, profile->get_int("chunkSize"));
  ENM_ASSIGN_OR_RETURN(const std::string tree, profile->get_string("merkleTree"));
  ENM_ASSIGN_OR_RETURN(const std::string cid_profile, profile->get_string("cidProfile"));
  if (hash == "sha256" && chunk_size == kChunkSize && tree == "rfc6962" &&
      cid_profile == "unixfs-v1-256k-174-raw") {
    return Status();
  }
  return Unsupported("key \"integrity\": got ", quoted(hash), ", ", chunk_size, ", ", quoted(tree),
                     ", ", quoted(cid_profile),
                     "; expected \"sha256\", 262144, \"rfc6962\", \"unixfs-v1-256k-174-raw\"");
}

Result<std::string> read_text(const Json& json, std::string_view key) {
  ENM_ASSIGN_OR_RETURN(std::string text, json.get_string(key));
  if (text.empty() || text.size() > kMaxTextBytes) {
    return Corrupt("key ", quoted(key), ": ", text.size(), " bytes; expected 1 to ", kMaxTextBytes);
  }
  return text;
}

Result<Manifest> from_json(Json json) {
  Manifest manifest;
  ENM_ASSIGN_OR_RETURN(manifest.id, json.get_string("id"));
  ENM_ASSIGN_OR_RETURN(manifest.version, json.get_string("version"));
  for (const Status& status : {check_model_id(manifest.id), check_version(manifest.version)}) {
    if (!status.ok()) return Corrupt(status.message());
  }
  ENM_ASSIGN_OR_RETURN(manifest.name, read_text(json, "name"));
  ENM_ASSIGN_OR_RETURN(manifest.type, read_text(json, "type"));
  if (json.find("family") != nullptr) {
    ENM_ASSIGN_OR_RETURN(manifest.family, read_text(json, "family"));
  }
  ENM_RETURN_IF_ERROR(check_integrity(json));
  ENM_ASSIGN_OR_RETURN(manifest.artifacts, read_artifacts(json));
  manifest.json = std::move(json);
  return manifest;
}

/// Numbers by value, everything else as text; numbers come before text.
int compare_parts(std::string_view a, std::string_view b) {
  const bool a_number = !a.empty() && std::all_of(a.begin(), a.end(), is_digit);
  const bool b_number = !b.empty() && std::all_of(b.begin(), b.end(), is_digit);
  if (a_number != b_number) return a_number ? -1 : 1;
  if (a_number) {
    const auto significant = [](std::string_view digits) {
      return digits.substr(std::min(digits.find_first_not_of('0'), digits.size()));
    };
    const std::string_view x = significant(a), y = significant(b);
    if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
    if (x != y) return x < y ? -1 : 1;
    return 0;
  }
  return a.compare(b);
}

int compare_lists(std::string_view a, std::string_view b) {
  const auto x = split(a, '.'), y = split(b, '.');
  for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (const int order = compare_parts(x[i], y[i]); order != 0) return order;
  }
  return x.size() == y.size() ? 0 : x.size() < y.size() ? -1 : 1;
}

}  // namespace

uint64_t Manifest::total_size() const {
  uint64_t total = 0;
  for (const Artifact& artifact : artifacts) total += artifact.digest.size;
  return total;
}

const Artifact* Manifest::find_file(std::string_view filename) const {
  for (const Artifact& artifact : artifacts) {
    if (artifact.filename == filename) return &artifact;
  }
  return nullptr;
}

Result<Manifest> parse_manifest(std::string_view bytes) {
  Result<Json> json = parse_canonical(bytes, {.max_bytes = kMaxManifestBytes, .max_depth = 32});
  if (!json.ok()) return json.status().in("[manifest]");
  Result<Manifest> manifest = from_json(*std::move(json));
  if (!manifest.ok()) return manifest.status().in("[manifest]");
  return manifest;
}

Status check_file_name(std::string_view filename) {
  if (Status status = check_relative_name(filename); !status.ok()) {
    return Corrupt(status.message());
  }
  if (filename.size() > kMaxFilename) {
    return Corrupt("file name of ", filename.size(), " bytes; at most ", kMaxFilename);
  }
  for (char c : filename) {
    const bool plain = is_digit(c) || is_lower(c) || is_upper(c) ||
                       std::string_view("._-+=@/").find(c) != std::string_view::npos;
    if (!plain) {
      return Corrupt("file name ", quoted(filename),
                     "; expected letters, digits and . _ - + = @ /");
    }
  }
  for (std::string_view part : split(filename, '/')) {
    if (part.front() == '.' || part.back() == '.' || is_device(part)) {
      return Corrupt("file name ", quoted(filename),
                     ": no part may begin or end with a dot, or be "
                     "a device name");
    }
  }
  const std::string lower = folded(filename);
  if (lower == kManifestFile || lower == kSignatureFile) {
    return Corrupt("file name ", quoted(filename), " is the manifest's own");
  }
  return Status();
}

Status check_model_id(std::string_view id) {
  bool good = !id.empty() && id.size() <= 128 && (is_digit(id.front()) || is_lower(id.front()));
  for (char c : id) good = good && (is_digit(c) || is_lower(c) || c == '.' || c == '_' || c == '-');
  if (good && id.back() != '.' && !is_device(id)) return Status();
  return InvalidArgument("model id ", quoted(id),
                         "; expected at most 128 of a-z, 0-9, '.', '_' and "
                         "'-', the first a letter or digit, the last no dot");
}

Status check_version(std::string_view version) {
  const auto alphanumeric = [](char c) { return is_digit(c) || is_lower(c) || is_upper(c); };
  bool good = !version.empty() && version.size() <= 64 && alphanumeric(version.front());
  for (char c : version) good = good && (alphanumeric(c) || c == '.' || c == '+' || c == '-');
  if (good && version.back() != '.') return Status();
  return InvalidArgument("version ", quoted(version),
                         "; expected something like 1.0.0: at most 64 "
                         "letters, digits, '.', '+' and '-'");
}

int compare_versions(std::string_view a, std::string_view b) {
  const auto cut = [](std::string_view& text, char at) {
    const size_t found = std::min(text.find(at), text.size());
    const std::string_view tail = text.substr(std::min(found + 1, text.size()));
    text = text.substr(0, found);
    return tail;
  };
  const std::string_view whole_a = a, whole_b = b;
  cut(a, '+');
  cut(b, '+');
  const std::string_view pre_a = cut(a, '-'), pre_b = cut(b, '-');
  if (const int order = compare_lists(a, b); order != 0) return order;
  if (pre_a.empty() != pre_b.empty()) return pre_a.empty() ? 1 : -1;
  if (const int order = compare_lists(pre_a, pre_b); order != 0) return order;
  return whole_a.compare(whole_b);
}

Result<ModelRef> parse_model_ref(std::string_view text) {
  const size_t at = text.find('@');
  ModelRef ref{std::string(text.substr(0, at)), ""};
  ENM_RETURN_IF_ERROR(check_model_id(ref.id));
  if (at != std::string_view::npos) {
    ref.version = std::string(text.substr(at + 1));
    ENM_RETURN_IF_ERROR(check_version(ref.version));
  }
  return ref;
}

}  // namespace enm::distribution
