#include "registry/target.h"

#include <algorithm>

namespace enm::registry {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string_view find_raw(const Target& target, std::string_view name) {
  for (const auto& [key, value] : target.query) {
    if (key == name) return value;
  }
  return {};
}

// "http://host:port/path" -> "/path"; origin form stays.
std::string_view origin_form(std::string_view target) {
  if (target.starts_with('/')) return target;
  const size_t scheme = target.find("://");
  if (scheme != 4 && scheme != 5) return {};
  const size_t path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

}  // namespace

Result<std::string> percent_decode(std::string_view encoded) {
  std::string out;
  for (size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      out.push_back(encoded[i]);
      continue;
    }
    const int high = i + 2 < encoded.size() ? hex_value(encoded[i + 1]) : -1;
    const int low = i + 2 < encoded.size() ? hex_value(encoded[i + 2]) : -1;
    if (high < 0 || low < 0) return InvalidArgument("a bad percent escape in ", quoted(encoded));
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  if (!is_utf8(out) || std::ranges::any_of(out, is_control)) {
    return InvalidArgument("control characters, or no UTF-8, in ", quoted(encoded));
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Result<std::string> Target::parameter(std::string_view name) const {
  return percent_decode(find_raw(*this, name));
}

Result<std::string> Target::words(std::string_view name) const {
  std::string raw(find_raw(*this, name));
  std::ranges::replace(raw, '+', ' ');
  return percent_decode(raw);
}

Result<Target> parse_target(std::string_view whole) {
  std::string_view rest = origin_form(whole);
  if (rest.empty()) return InvalidArgument("target ", quoted(whole), "; expected a path");
  rest = rest.substr(0, rest.find('#'));
  const size_t mark = std::min(rest.find('?'), rest.size());
  const std::string_view path = rest.substr(0, mark);
  Target target;
  for (std::string_view segment : split(path.starts_with('/') ? path.substr(1) : path, '/')) {
    ENM_ASSIGN_OR_RETURN(std::string decoded, percent_decode(segment));
    target.segments.push_back(std::move(decoded));
  }
  if (target.segments.empty()) target.segments.emplace_back();
  if (mark == rest.size()) return target;
  for (std::string_view pair : split(rest.substr(mark + 1), '&')) {
    const size_t equals = std::min(pair.find('='), pair.size());
    ENM_ASSIGN_OR_RETURN(std::string name, percent_decode(pair.substr(0, equals)));
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    ENM_RETURN_IF_ERROR(percent_decode(value).status());
    target.query.emplace_back(std::move(name), std::string(value));
  }
  return target;
}

}  // namespace enm::registry
