// Files of the operating system. Never in WebAssembly.
#pragma once

#include <string>

#include "enm/base/file.h"

namespace enm {

/// The whole file, mapped read-only and private. Empty files give an empty blob.
Result<Blob> map_file(const std::string& path);

/// The whole file, copied; refused beyond `limit` bytes (kResourceExhausted).
Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t limit);

/// Writes to a temporary neighbour, syncs, renames: after a crash the path has the old bytes or the
/// new ones. `mode` is the permission bits of the new file.
Status write_file_atomically(const std::string& path, Bytes bytes, unsigned mode = 0644);

/// The files below a directory. Names are checked with check_relative_name; symbolic links that
/// resolve to outside the directory are refused.
class DirectoryFiles final : public FileSource {
 public:
  explicit DirectoryFiles(std::string root) : root_(std::move(root)) {}
  Result<Blob> open(std::string_view name) const override;
  bool contains(std::string_view name) const override;
  const std::string& root() const { return root_; }

 private:
  std::string root_;
};

}  // namespace enm
