#include <charconv>

#include "enm/base/strings.h"

namespace enm {

void append_number(std::string& out, double value) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace enm
