#include "registry/conditional.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace enm::registry {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Digits only; numbers beyond 64 bits are as good as the largest.
std::optional<uint64_t> parse_position(std::string_view digits) {
  uint64_t value = 0;
  const char* begin = digits.data();
  const char* end = begin + digits.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (digits.empty() || stop != end) return std::nullopt;
  return error == std::errc::result_out_of_range ? UINT64_MAX : value;
}

RangeAnswer last_bytes(std::string_view digits, uint64_t size) {
  const auto count = parse_position(digits);
  if (!count) return {};
  if (*count == 0 || size == 0) return {RangeAnswer::Kind::kUnsatisfiable};
  const uint64_t length = std::min(*count, size);
  return {RangeAnswer::Kind::kPart, size - length, length};
}

}  // namespace

RangeAnswer resolve_range(std::string_view header, uint64_t size) {
  header = trim(header);
  const size_t equals = header.find('=');
  if (equals == std::string_view::npos ||
      !equals_ignoring_case(header.substr(0, equals), "bytes")) {
    return {};
  }
  const std::string_view spec = trim(header.substr(equals + 1));
  const size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return {};
  if (dash == 0) return last_bytes(spec.substr(1), size);
  const auto first = parse_position(spec.substr(0, dash));
  const std::string_view tail = spec.substr(dash + 1);
  const auto last = tail.empty() ? std::optional<uint64_t>(UINT64_MAX) : parse_position(tail);
  if (!first || !last || *last < *first) return {};
  if (*first >= size) return {RangeAnswer::Kind::kUnsatisfiable};
  const uint64_t end = std::min(*last, size - 1);
  return {RangeAnswer::Kind::kPart, *first, end - *first + 1};
}

bool names_etag(std::string_view list, std::string_view etag) {
  if (trim(list) == "*") return true;
  for (std::string_view entry : split(list, ',')) {
    entry = trim(entry);
    if (entry.starts_with("W/")) entry.remove_prefix(2);
    if (entry == etag) return true;
  }
  return false;
}

Reply file_reply(const Request& request, File file, std::string_view etag, Headers headers) {
  const Result<uint64_t> size = file.size();
  if (!size.ok()) return problem(size.status());
  headers.emplace_back("ETag", etag);
  headers.emplace_back("Accept-Ranges", "bytes");
  Reply reply;
  reply.headers = std::move(headers);
  if (names_etag(request.header("If-None-Match"), etag)) {
    reply.status = 304;
    return reply;
  }
  const std::string_view if_range = trim(request.header("If-Range"));
  RangeAnswer range;
  if (if_range.empty() || if_range == etag) range = resolve_range(request.header("Range"), *size);
  switch (range.kind) {
    case RangeAnswer::Kind::kUnsatisfiable: {
      Reply refused =
          problem(416, "range_not_satisfiable",
                  cat("there are ", *size, " bytes; got Range: ", quoted(request.header("Range"))));
      refused.headers.emplace_back("Content-Range", cat("bytes */", *size));
      return refused;
    }
    case RangeAnswer::Kind::kPart:
      reply.status = 206;
      reply.headers.emplace_back("Content-Range", cat("bytes ", range.offset, "-",
                                                      range.offset + range.size - 1, "/", *size));
      break;
    case RangeAnswer::Kind::kWhole:
      range.size = *size;
  }
  reply.file = FileBody{std::move(file), range.offset, range.size};
  return reply;
}

}  // namespace enm::registry
