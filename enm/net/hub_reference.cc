#include "enm/net/hub_reference.h"

#include <algorithm>

#include "enm/distribution/manifest.h"

namespace enm::net {
namespace {

constexpr std::string_view kScheme = "hf:";
constexpr std::string_view kDefaultRevision = "main";
constexpr size_t kMaxNameBytes = 96;
constexpr size_t kMaxRevisionBytes = 255;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The hub's own rule for the names of people and models.
bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes && is_word(name.front()) &&
         is_word(name.back()) && name.find("--") == std::string_view::npos &&
         name.find("..") == std::string_view::npos &&
         std::ranges::all_of(name, [](char c) { return is_word(c) || c == '-' || c == '.'; });
}

// What git allows, but for characters that no revision of a hub has.
bool is_revision(std::string_view revision) {
  return !revision.empty() && revision.size() <= kMaxRevisionBytes && revision.front() != '-' &&
         revision.find("..") == std::string_view::npos && revision.back() != '/' &&
         std::ranges::all_of(revision, [](char c) {
           return is_word(c) || std::string_view("-.+/").find(c) != std::string_view::npos;
         });
}

// Up to the slash that ends it; refs/pr/1 and refs/convert/x have two of their own.
std::string_view take_revision(std::string_view& rest) {
  size_t end = rest.find('/');
  if (rest.starts_with("refs/")) {
    for (int more = 0; more < 2 && end != std::string_view::npos; ++more)
      end = rest.find('/', end + 1);
  }
  const std::string_view revision = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return revision;
}

Status check(const HubRef& ref, bool has_file) {
  const size_t slash = ref.repository.find('/');
  const std::string_view both = ref.repository;
  if (slash == std::string_view::npos || !is_name(both.substr(0, slash)) ||
      !is_name(both.substr(slash + 1))) {
    return InvalidArgument("no model is named ", quoted(both));
  }
  if (!is_revision(ref.revision)) return InvalidArgument("no revision ", quoted(ref.revision));
  if (!has_file) return Status();
  if (!ref.file.ends_with(".gguf") && !ref.file.ends_with(".onnx")) {
    return InvalidArgument("file ", quoted(ref.file), " is neither .gguf nor .onnx");
  }
  const Status name = distribution::check_file_name(ref.file);
  return name.ok() ? Status() : InvalidArgument(name.message());
}

}  // namespace

std::string HubRef::text() const {
  return cat(kScheme, repository, revision == kDefaultRevision ? "" : "@" + revision,
             file.empty() ? "" : "/" + file);
}

bool is_hub_reference(std::string_view text) { return text.starts_with(kScheme); }

Result<HubRef> parse_hub_reference(std::string_view text) {
  HubRef ref;
  std::string_view rest = text.substr(std::min(text.size(), kScheme.size()));
  const size_t slash = std::min(rest.find('/'), rest.size());
  const size_t end = std::min(rest.find_first_of("@/", slash + 1), rest.size());
  ref.repository = rest.substr(0, end);
  const bool has_revision = end < rest.size() && rest[end] == '@';
  bool has_file = end < rest.size() && !has_revision;
  rest = rest.substr(std::min(end + 1, rest.size()));
  if (has_revision) {
    const size_t before = rest.size();
    ref.revision = take_revision(rest);
    has_file = ref.revision.size() < before;
  }
  ref.file = rest;
  if (const Status status = check(ref, has_file); !status.ok()) {
    return InvalidArgument(quoted(text), ": ", status.message(),
                           "; expected hf:org/name[@revision][/file.gguf]");
  }
  return ref;
}

std::string hub_cache_id(std::string_view repository) {
  std::string id = cat("hf+", repository);
  std::ranges::replace(id, '/', '+');
  return id;
}

std::string shown_model_id(std::string_view cache_id) {
  if (!cache_id.starts_with("hf+")) return std::string(cache_id);
  std::string name(cache_id.substr(3));
  std::ranges::replace(name, '+', '/');
  return cat(kScheme, name);
}

}  // namespace enm::net
