// Base64 (RFC 4648, section 4), strict: one text for one sequence of bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enm/base/bytes.h"
#include "enm/base/status.h"

namespace enm::distribution {

std::string to_base64(Bytes bytes);

/// kCorrupt for anything that to_base64 would not have written: characters outside of the alphabet,
/// missing padding, non-zero bits behind the last byte.
Result<std::vector<uint8_t>> from_base64(std::string_view text);

}  // namespace enm::distribution
