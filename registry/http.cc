#include "registry/http.h"

#include <algorithm>
#include <ctime>

#include "enm/distribution/canonical.h"

namespace enm::registry {
namespace {

constexpr size_t kMaxLoggedPath = 500;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view title_of(unsigned status) {
  switch (status) {
    case 400:
      return "Bad request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not found";
    case 405:
      return "Method not allowed";
    case 408:
      return "Request timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content too large";
    case 415:
      return "Unsupported media type";
    case 416:
      return "Range not satisfiable";
    case 422:
      return "Unprocessable content";
    case 431:
      return "Request header fields too large";
    case 503:
      return "Service unavailable";
    case 507:
      return "Insufficient storage";
    default:
      return "Internal server error";
  }
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

std::string json_text(const Json& value) {
  auto out = distribution::canonical(value);
  return out.ok() ? *std::move(out) : "{}";
}

Json text(std::string_view value) {
  // Foreign words may stand in a detail; JSON has no place for bytes that are not UTF-8.
  return Json(is_utf8(value) ? std::string(value) : std::string("(not UTF-8)"));
}

Json number(uint64_t value) { return Json(static_cast<int64_t>(value)); }

Reply json_reply(unsigned status, const Json& value) {
  Reply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache"}};
  reply.body = json_text(value);
  return reply;
}

Reply problem(unsigned status, std::string_view code, std::string_view detail, Members extra) {
  Members members = {{"type", text("about:blank")},
                     {"title", text(title_of(status))},
                     {"status", number(status)},
                     {"detail", text(detail)},
                     {"code", text(code)}};
  std::move(extra.begin(), extra.end(), std::back_inserter(members));
  Reply reply;
  reply.status = status;
  reply.headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}};
  reply.body = json_text(Json(std::move(members)));
  reply.reason = detail;
  return reply;
}

Reply problem(const Status& status) {
  switch (status.code()) {
    case Code::kInvalidArgument:
      return problem(400, "bad_request", status.message());
    case Code::kNotFound:
      return problem(404, "not_found", status.message());
    case Code::kConflict:
      return problem(409, "conflict", status.message());
    case Code::kCorrupt:
      return problem(422, "corrupt", status.message());
    case Code::kResourceExhausted:
      return problem(507, "insufficient_storage", status.message());
    case Code::kUnavailable:
      return problem(503, "unavailable", status.message());
    default: {
      // A failure of the machine is told to its owner, not to everybody.
      Reply reply = problem(500, "internal", "the registry failed; its log says why");
      reply.reason = status.message();
      return reply;
    }
  }
}

std::string iso_time(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts = {};
  ::gmtime_r(&time, &parts);
  char out[32];
  return std::string(out, std::strftime(out, sizeof out, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

int64_t now_seconds() { return std::time(nullptr); }

std::string failure_line(std::string_view method, std::string_view target, const Reply& reply) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      const auto byte = static_cast<uint8_t>(c);
      const bool plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
      append(out, plain ? std::string(1, c) : cat("\\x", to_hex(&byte, 1)));
    }
    return cat('"', out, '"');
  };
  const std::string_view path = target.substr(0, std::min(target.find('?'), kMaxLoggedPath));
  return cat("time=", iso_time(now_seconds()), " level=", reply.status < 500 ? "warn" : "error",
             " method=", escaped(method), " path=", escaped(path), " status=", reply.status,
             " reason=", escaped(reply.reason));
}

}  // namespace enm::registry
