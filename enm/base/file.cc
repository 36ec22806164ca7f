#include "enm/base/file.h"

namespace enm {

Result<Blob> MemoryFiles::open(std::string_view name) const {
  const auto found = files_.find(name);
  if (found == files_.end()) return NotFound("no file ", quoted(name));
  return found->second;
}

Status check_relative_name(std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return InvalidArgument("file name ", quoted(name), " ", why,
                           "; expected a relative path below the model's folder");
  };
  if (name.empty()) return refuse("is empty");
  if (name.size() > 1024) return refuse("is longer than 1024 bytes");
  if (name.find('\0') != std::string_view::npos) return refuse("contains a NUL byte");
  if (name.find('\\') != std::string_view::npos) return refuse("contains a backslash");
  if (name.find(':') != std::string_view::npos) return refuse("contains a colon");
  for (std::string_view part : split(name, '/')) {
    if (part.empty()) return refuse("is absolute or has an empty component");
    if (part == "." || part == "..") return refuse("has a '.' or '..' component");
  }
  return Status();
}

}  // namespace enm
