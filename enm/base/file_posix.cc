#include "enm/base/file_posix.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace enm {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Status system_error(std::string_view doing, const std::string& path, int error) {
  const Code code = error == ENOENT || error == ENOTDIR  ? Code::kNotFound
                    : error == ENOSPC || error == EDQUOT ? Code::kResourceExhausted
                                                         : Code::kIo;
  return Status(code, cat("cannot ", doing, " ", path, ": ", std::strerror(error)));
}

Result<uint64_t> regular_file_size(int fd, const std::string& path) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return system_error("stat", path, errno);
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path, " is not a regular file");
  return static_cast<uint64_t>(info.st_size);
}

Status write_all(int fd, Bytes bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return system_error("write", path, errno);
    }
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return Status();
}

}  // namespace

void Blob::discard_pages(size_t offset, size_t size) const {
  if (!is_file_mapping_ || size == 0) return;
  static const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  // Only whole pages inside the range: its neighbours may be in use.
  const auto begin = (reinterpret_cast<uintptr_t>(bytes_.data()) + offset + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(bytes_.data()) + offset + size) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

Result<Blob> map_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error("open", path, errno);
  ENM_ASSIGN_OR_RETURN(const uint64_t size, regular_file_size(file.get(), path));
  if (size == 0) return Blob();
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) return system_error("map", path, errno);
  std::shared_ptr<const void> owner(address, [size](void* mapped) { ::munmap(mapped, size); });
  return Blob::file_mapping(std::move(owner), Bytes(static_cast<const uint8_t*>(address), size));
}

Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t limit) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error("open", path, errno);
  ENM_ASSIGN_OR_RETURN(const uint64_t size, regular_file_size(file.get(), path));
  if (size > limit) {
    return ResourceExhausted(path, " has ", size, " bytes; at most ", limit, " are accepted here");
  }
  std::vector<uint8_t> out(size);
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::read(file.get(), out.data() + done, out.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  out.resize(done);
  return out;
}

Status write_file_atomically(const std::string& path, Bytes bytes, unsigned mode) {
  std::string temporary = path + ".XXXXXX";
  Descriptor file(::mkstemp(temporary.data()));
  if (file.get() < 0) return system_error("create", temporary, errno);
  Status status = write_all(file.get(), bytes, temporary);
  if (status.ok() && ::fchmod(file.get(), mode) != 0) status = system_error("chmod", path, errno);
  if (status.ok() && ::fsync(file.get()) != 0) status = system_error("sync", path, errno);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = system_error("rename to", path, errno);
  }
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

Result<Blob> DirectoryFiles::open(std::string_view name) const {
  ENM_RETURN_IF_ERROR(check_relative_name(name));
  std::error_code error;
  const auto root = std::filesystem::weakly_canonical(root_, error);
  const auto path = std::filesystem::weakly_canonical(root / name, error);
  const auto relative = path.lexically_relative(root);
  if (error || relative.empty() || *relative.begin() == "..") {
    return InvalidArgument("file ", quoted(name), " leads outside of ", root_);
  }
  return map_file(path.string());
}

bool DirectoryFiles::contains(std::string_view name) const {
  std::error_code error;
  return check_relative_name(name).ok() &&
         std::filesystem::is_regular_file(std::filesystem::path(root_) / name, error);
}

}  // namespace enm
