#include "registry/blobs.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>

namespace enm::registry {

namespace fs = std::filesystem;

bool is_sha256(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string Blobs::path_of(const std::string& sha256) const {
  return cat(data_, "/blobs/", sha256.substr(0, 2), "/", sha256);
}

Result<File> Blobs::open(const std::string& sha256) const {
  if (!is_sha256(sha256)) return NotFound(enm::quoted(sha256), " is no SHA-256");
  return File::open(path_of(sha256), O_RDONLY);
}

Result<uint64_t> Blobs::size(const std::string& sha256) const {
  ENM_ASSIGN_OR_RETURN(const FileInfo info, file_info(path_of(sha256)));
  return info.size;
}

Result<uint64_t> Blobs::refresh(const std::string& sha256) {
  const std::lock_guard lock(mutex_);
  ENM_RETURN_IF_ERROR(touch_file(path_of(sha256)));
  return size(sha256);
}

Status Blobs::adopt(const std::string& path, const File& file, const std::string& sha256) {
  ENM_RETURN_IF_ERROR(file.sync());
  const std::string target = path_of(sha256);
  const std::string folder = fs::path(target).parent_path().string();
  if (!file_info(folder).ok()) {
    ENM_RETURN_IF_ERROR(make_folders(folder));
    ENM_RETURN_IF_ERROR(sync_folder(data_ + "/blobs"));
  }
  ENM_RETURN_IF_ERROR(touch_file(path));
  return move_file(path, target);
}

void Blobs::remove_if_older(const std::string& sha256, int64_t cutoff) {
  const std::lock_guard lock(mutex_);
  const auto info = file_info(path_of(sha256));
  if (info.ok() && info->modified < cutoff) (void)remove_file(path_of(sha256));
}

std::vector<std::string> Blobs::older_than(int64_t cutoff) const {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(data_ + "/blobs", error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!is_sha256(name)) continue;
    const auto info = file_info(entry->path().string());
    if (info.ok() && info->modified < cutoff) out.push_back(name);
  }
  return out;
}

}  // namespace enm::registry
