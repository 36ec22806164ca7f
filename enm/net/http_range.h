// A range of a file by HTTP (RFC 9110, section 14): asked for, and taken only as it was asked for.
#pragma once

#include "enm/net/http_client.h"

namespace enm::net {

/// Asks for `size` bytes, at least one, from `offset` on, as they are: no content coding.
void ask_for_range(HttpRequest& request, uint64_t offset, uint64_t size);

/// Fills `out` from the answer: 206 with that very range of a file of `file_size` bytes, or 200 if
/// the range is the whole file. error_of for a status from 400 on; else kUnavailable says what
/// came.
Status take_range(const HttpAnswer& answer, std::string_view url, uint64_t file_size,
                  uint64_t offset, MutableBytes out);

}  // namespace enm::net
