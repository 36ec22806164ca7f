// Files of the operating system by descriptor: reads and writes at an offset, syncs, locks. Never
// in WebAssembly.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "enm/base/bytes.h"
#include "enm/base/status.h"

namespace enm {

/// An open file. Errors name the path. Reads and writes at an offset may come from several threads.
class File {
 public:
  File() = default;
  ~File();
  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept;

  /// open(2); a file that this makes has mode 644.
  static Result<File> open(const std::string& path, int flags);
  /// A regular file; kInvalidArgument for anything else, at once also where a reader would wait.
  static Result<File> open_read(const std::string& path);
  /// Made if it is not there; its bytes stay if it is.
  static Result<File> open_write(const std::string& path);

  /// A new file beside `path`, with six more characters in its name; mode 600.
  static Result<File> create_temporary(const std::string& path);

  const std::string& path() const { return path_; }
  int descriptor() const { return fd_; }
  Result<uint64_t> size() const;

  /// Bytes read; fewer than asked only at the end of the file.
  Result<size_t> read_at(uint64_t offset, MutableBytes out) const;
  /// kResourceExhausted when the disk or the quota is full.
  Status write_at(uint64_t offset, Bytes bytes) const;
  Status resize(uint64_t size) const;
  Status sync() const;
  Status chmod(unsigned mode) const;

  /// Where the next data at or behind `offset` begins; the file's size if there is only hole.
  Result<uint64_t> next_data(uint64_t offset) const;

 private:
  File(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_ = -1;
  std::string path_;
};

/// flock(2) on a file, made if it is not there; held until the object goes. The kernel drops it
/// when the process dies.
class FileLock {
 public:
  enum class Mode { kShared, kExclusive };

  /// kConflict if another process has it.
  static Result<FileLock> try_take(const std::string& path, Mode mode);

  /// The locked file, open for writing.
  const File& file() const { return file_; }
  /// Whether the path still names the locked file: it may have been renamed before the lock came.
  bool in_place() const;

 private:
  explicit FileLock(File file) : file_(std::move(file)) {}
  File file_;
};

/// "cannot <doing> <path>: <strerror>" with the code that fits the errno.
Status system_error(std::string_view doing, std::string_view path, int error);

/// The folder and those above it, made if missing.
Status make_folders(const std::string& path);

/// Makes a rename in the folder survive a power cut.
Status sync_folder(const std::string& path);

}  // namespace enm
