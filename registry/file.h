// What the registry does to files by name; see enm/base/os_file.h for open ones.
#pragma once

#include <string>

#include "enm/base/os_file.h"
#include "enm/base/status.h"

namespace enm::registry {

struct FileInfo {
  uint64_t size = 0;
  int64_t modified = 0;  // seconds since 1970
  bool is_regular = false;
};

/// kNotFound if there is none.
Result<FileInfo> file_info(const std::string& path);
/// Sets the time of modification to now.
Status touch_file(const std::string& path);
Status remove_file(const std::string& path);
/// rename(2), and the folders' entries made durable.
Status move_file(const std::string& from, const std::string& to);

}  // namespace enm::registry
