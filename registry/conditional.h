// Conditional and partial reading (RFC 9110, sections 8.8.3, 13 and 14).
#pragma once

#include <cstdint>
#include <string_view>

#include "registry/http.h"

namespace enm::registry {

struct RangeAnswer {
  enum class Kind { kWhole, kPart, kUnsatisfiable } kind = Kind::kWhole;
  uint64_t offset = 0;
  uint64_t size = 0;

  bool operator==(const RangeAnswer&) const = default;
};

/// What a Range header asks of `size` bytes. A header that is absent, malformed, of another unit or
/// of several ranges asks for the whole, as the RFC allows.
RangeAnswer resolve_range(std::string_view header, uint64_t size);

/// Whether an If-None-Match list names `etag` (quotes included), compared weakly.
bool names_etag(std::string_view list, std::string_view etag);

/// A file under its ETag: 304, 416, 206 or 200 as the request's If-None-Match, Range and If-Range
/// ask. `headers` are those of every answer but 416.
Reply file_reply(const Request& request, File file, std::string_view etag, Headers headers);

}  // namespace enm::registry
