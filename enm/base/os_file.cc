#include "enm/base/os_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace enm {

Status system_error(std::string_view doing, std::string_view path, int error) {
  Code code = Code::kIo;
  std::string_view advice;
  if (error == ENOENT || error == ENOTDIR) code = Code::kNotFound;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    code = Code::kResourceExhausted;
    advice = "; free some space and try again";
  }
  return Status(code, cat("cannot ", doing, " ", path, ": ", std::strerror(error), advice));
}

namespace {

std::string_view kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  return "a device";
}

}  // namespace

File::~File() {
  if (fd_ >= 0) ::close(fd_);
}

File& File::operator=(File&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

Result<File> File::open(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (fd < 0) return system_error("open", path, errno);
  return File(fd, path);
}

Result<File> File::open_read(const std::string& path) {
  // Without waiting: a pipe opens at once, to be refused, and not when somebody writes to it.
  ENM_ASSIGN_OR_RETURN(File file, open(path, O_RDONLY | O_NONBLOCK));
  struct stat info;
  if (::fstat(file.fd_, &info) != 0) return system_error("stat", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return InvalidArgument(path, " is ", kind_of(info.st_mode), "; expected a regular file");
  }
  return file;
}

Result<File> File::open_write(const std::string& path) { return open(path, O_RDWR | O_CREAT); }

Result<File> File::create_temporary(const std::string& path) {
  std::string name = path + ".XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return system_error("create", name, errno);
  return File(fd, name);
}

Result<uint64_t> File::size() const {
  struct stat info;
  if (::fstat(fd_, &info) != 0) return system_error("stat", path_, errno);
  return static_cast<uint64_t>(info.st_size);
}

Result<size_t> File::read_at(uint64_t offset, MutableBytes out) const {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t got =
        ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path_, errno);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Status File::write_at(uint64_t offset, Bytes bytes) const {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error("write", path_, errno);
    offset += static_cast<uint64_t>(put);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return Status();
}

Status File::resize(uint64_t size) const {
  if (::ftruncate(fd_, static_cast<off_t>(size)) == 0) return Status();
  return system_error("resize", path_, errno);
}

Status File::sync() const {
  return ::fsync(fd_) == 0 ? Status() : system_error("sync", path_, errno);
}

Status File::chmod(unsigned mode) const {
  return ::fchmod(fd_, mode) == 0 ? Status() : system_error("chmod", path_, errno);
}

Result<uint64_t> File::next_data(uint64_t offset) const {
  const off_t found = ::lseek(fd_, static_cast<off_t>(offset), SEEK_DATA);
  if (found >= 0) return static_cast<uint64_t>(found);
  if (errno == ENXIO) return size();
  if (errno == EINVAL) return offset;  // a file system that knows no holes
  return system_error("seek in", path_, errno);
}

Result<FileLock> FileLock::try_take(const std::string& path, Mode mode) {
  ENM_ASSIGN_OR_RETURN(File file, File::open_write(path));
  const int operation = mode == Mode::kShared ? LOCK_SH : LOCK_EX;
  while (::flock(file.descriptor(), operation | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return Conflict(path, " is locked by another process");
    return system_error("lock", path, errno);
  }
  return FileLock(std::move(file));
}

bool FileLock::in_place() const {
  struct stat mine;
  struct stat named;
  return ::fstat(file_.descriptor(), &mine) == 0 && ::stat(file_.path().c_str(), &named) == 0 &&
         mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
}

Status make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  return error ? system_error("make folder", path, error.value()) : Status();
}

Status sync_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error("open", path, errno);
  const bool synced = ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  return synced ? Status() : system_error("sync", path, error);
}

}  // namespace enm
