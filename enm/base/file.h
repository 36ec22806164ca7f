// The file seam: where named bytes come from. Natively a directory (mapped), in WebAssembly and in
// tests a set of buffers.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/bytes.h"
#include "enm/base/status.h"

namespace enm {

/// Read-only bytes by name, names being relative to one root ("model.onnx",
/// "1_Pooling/config.json").
class FileSource {
 public:
  virtual ~FileSource() = default;
  /// kNotFound if there is none of that name; kInvalidArgument for a name that leaves the root.
  virtual Result<Blob> open(std::string_view name) const = 0;
  virtual bool contains(std::string_view name) const = 0;

  /// True where open() would copy the file into memory, so that large parts are better read when
  /// they are needed, by read(). False for mapped files and buffers.
  virtual bool reads_on_demand() const { return false; }
  /// Bytes of a file; kNotFound if there is none of that name.
  virtual Result<uint64_t> size(std::string_view name) const {
    ENM_ASSIGN_OR_RETURN(const Blob file, open(name));
    return file.size();
  }
  /// Fills `out` with the bytes from `offset` on; kCorrupt if the file ends before.
  virtual Status read(std::string_view name, uint64_t offset, MutableBytes out) const {
    ENM_ASSIGN_OR_RETURN(const Blob file, open(name));
    if (offset > file.size() || out.size() > file.size() - offset) {
      return Corrupt(name, " has ", file.size(), " bytes; wanted ", out.size(), " at ", offset);
    }
    if (!out.empty()) std::memcpy(out.data(), file.data() + offset, out.size());
    return Status();
  }
};

/// Buffers by name.
class MemoryFiles final : public FileSource {
 public:
  void add(std::string name, Blob bytes) { files_.insert_or_assign(std::move(name), bytes); }
  Result<Blob> open(std::string_view name) const override;
  bool contains(std::string_view name) const override { return files_.contains(name); }

 private:
  std::map<std::string, Blob, std::less<>> files_;
};

/// Refuses names that are absolute, empty, have an empty, "." or ".." component, a backslash, a NUL
/// or a drive letter: under both POSIX and Windows rules they stay below the root they are joined
/// to.
Status check_relative_name(std::string_view name);

}  // namespace enm
