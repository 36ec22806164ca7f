// Where bytes come from. A resolver turns a reference into files, each with the hash that its bytes
// must have; a chunk source gives ranges of such a file. Neither is believed: see fetch.h.
#pragma once

#include <string>
#include <vector>

#include "enm/base/bytes.h"
#include "enm/base/status.h"
#include "enm/distribution/integrity.h"

namespace enm::distribution {

/// By what a whole file is known before it is here.
struct ContentHash {
  enum class Kind { kSha256, kGitBlob };
  Kind kind = Kind::kSha256;
  std::string hex;  // lower case; 64 digits, or 40 of a git blob

  /// Unlike for all contents, and good as a file's name.
  std::string key() const { return kind == Kind::kSha256 ? hex : "git-" + hex; }
};

/// A file that a resolver names.
struct RemoteFile {
  std::string name;  // relative to the model's folder, as check_file_name wants it
  std::string path;  // for sources that go by names and not by hashes
  uint64_t size = 0;
  ContentHash hash;
  std::vector<Digest> chunks;  // empty where the resolver knows only the whole's hash
};

/// Errors are kUnavailable where trying again may help, kNotFound where the source has no such
/// thing. Methods may be called from several threads at once.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;

  /// A URL or a folder, for messages.
  virtual const std::string& name() const = 0;

  /// Fills `out` with the bytes of `file` from `offset` on; the range lies within its size.
  virtual Status read(const RemoteFile& file, uint64_t offset, MutableBytes out) = 0;
};

}  // namespace enm::distribution
