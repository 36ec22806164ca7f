// The library's to_chars brings tables of 110 KB, rapidjson's Grisu2 one of 1 KB.
#include <rapidjson/internal/dtoa.h>

#include <charconv>
#include <cmath>

#include "enm/base/strings.h"

namespace enm {

void append_number(std::string& out, double value) {
  if (std::isnan(value)) return append(out, "nan");
  if (std::isinf(value)) return append(out, value < 0 ? "-inf" : "inf");
  char digits[32];
  std::string_view text(digits, rapidjson::internal::dtoa(value, digits));
  if (text.ends_with(".0")) text.remove_suffix(2);
  append(out, text);
}

std::errc read_number(const char*& begin, const char* end, double& value) {
  const auto read = std::from_chars(begin, end, value);
  begin = read.ptr;
  return read.ec;
}

}  // namespace enm
