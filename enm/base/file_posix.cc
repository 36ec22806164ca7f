#include "enm/base/file_posix.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "enm/base/os_file.h"

namespace enm {

void Blob::discard_pages(size_t offset, size_t size) const {
  if (!is_file_mapping_ || size == 0) return;
  static const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  // Only whole pages inside the range: its neighbours may be in use.
  const auto begin = (reinterpret_cast<uintptr_t>(bytes_.data()) + offset + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(bytes_.data()) + offset + size) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

Result<Blob> map_file(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(const File file, File::open_read(path));
  ENM_ASSIGN_OR_RETURN(const uint64_t size, file.size());
  if (size == 0) return Blob();
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (address == MAP_FAILED) return system_error("map", path, errno);
  std::shared_ptr<const void> owner(address, [size](void* mapped) { ::munmap(mapped, size); });
  return Blob::file_mapping(std::move(owner), Bytes(static_cast<const uint8_t*>(address), size));
}

Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t limit) {
  ENM_ASSIGN_OR_RETURN(const File file, File::open_read(path));
  ENM_ASSIGN_OR_RETURN(const uint64_t size, file.size());
  if (size > limit) {
    return ResourceExhausted(path, " has ", size, " bytes; at most ", limit, " are accepted here");
  }
  std::vector<uint8_t> out(size);
  ENM_ASSIGN_OR_RETURN(const size_t got, file.read_at(0, out));
  out.resize(got);
  return out;
}

Status write_file_atomically(const std::string& path, Bytes bytes, unsigned mode) {
  ENM_ASSIGN_OR_RETURN(const File file, File::create_temporary(path));
  Status status = file.write_at(0, bytes);
  if (status.ok()) status = file.chmod(mode);
  if (status.ok()) status = file.sync();
  if (status.ok() && ::rename(file.path().c_str(), path.c_str()) != 0) {
    status = system_error("rename to", path, errno);
  }
  if (!status.ok()) ::unlink(file.path().c_str());
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
