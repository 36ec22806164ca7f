#include <charconv>

#include "enm/base/strings.h"

namespace enm {

void append_number(std::string& out, double value) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

std::errc read_number(const char*& begin, const char* end, double& value) {
  const auto read = std::from_chars(begin, end, value);
  begin = read.ptr;
  return read.ec;
}

}  // namespace enm
