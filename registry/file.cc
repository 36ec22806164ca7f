#include "registry/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace enm::registry {
namespace {

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

}  // namespace

Result<FileInfo> file_info(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return system_error("stat", path, errno);
  return FileInfo{static_cast<uint64_t>(info.st_size), info.st_mtim.tv_sec, S_ISREG(info.st_mode)};
}

Status touch_file(const std::string& path) {
  if (::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0) return {};
  return system_error("touch", path, errno);
}

Status remove_file(const std::string& path) {
  return ::unlink(path.c_str()) == 0 ? Status() : system_error("remove", path, errno);
}

Status move_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename to", to, errno);
  ENM_RETURN_IF_ERROR(sync_folder(folder_of(to)));
  return sync_folder(folder_of(from));
}

}  // namespace enm::registry
