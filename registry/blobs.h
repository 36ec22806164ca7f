// Files by the SHA-256 of their bytes: DATA/blobs/ab/<64 hex digits>. A file there is whole and
// durable: it comes in by rename only, after its bytes were hashed and synced.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "registry/file.h"

namespace enm::registry {

/// 64 lower-case hex digits.
bool is_sha256(std::string_view text);

class Blobs {
 public:
  explicit Blobs(std::string data) : data_(std::move(data)) {}

  /// kNotFound if there is none.
  Result<File> open(const std::string& sha256) const;
  Result<uint64_t> size(const std::string& sha256) const;

  /// Size of the blob, whose age starts again: whoever was told that it is here can count on it
  /// for the expiry time. kNotFound if there is none.
  Result<uint64_t> refresh(const std::string& sha256);

  /// Takes in the file at `path`, whose hash the caller has checked.
  Status adopt(const std::string& path, const File& file, const std::string& sha256);

  /// Removes the blob if it was last refreshed before `cutoff`.
  void remove_if_older(const std::string& sha256, int64_t cutoff);
  /// Those last refreshed before `cutoff`.
  std::vector<std::string> older_than(int64_t cutoff) const;

 private:
  std::string path_of(const std::string& sha256) const;

  const std::string data_;
  std::mutex mutex_;  // between refreshing and removing
};

}  // namespace enm::registry
