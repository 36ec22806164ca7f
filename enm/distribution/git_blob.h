// The name that git gives a file's content, by which a hub knows its small files.
#pragma once

#include <string>

#include "enm/base/bytes.h"

namespace enm::distribution {

/// SHA-1 of "blob <size>\0" and the bytes, 40 hexadecimal digits.
std::string git_blob_id(Bytes bytes);

}  // namespace enm::distribution
