// What a handler is given and what it answers, free of sockets: tests call handlers directly.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "enm/base/json.h"
#include "enm/base/status.h"
#include "registry/file.h"

namespace enm::registry {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;
  std::string target;  // origin form: "/v1/models?limit=2"
  Headers headers;
  std::string body;

  /// The first header of that name in any case; empty if there is none.
  std::string_view header(std::string_view name) const;
};

/// A stretch of a file, sent as it is read.
struct FileBody {
  File file;
  uint64_t offset = 0;
  uint64_t size = 0;
};

struct Reply {
  unsigned status = 200;
  Headers headers;
  std::string body;
  std::optional<FileBody> file;
  std::string reason;  // why it failed, for the log; a problem's detail may say less
};

using Members = std::vector<Json::Member>;

/// JSON text; the value is one of ours, so that it has a canonical form.
std::string json_text(const Json& value);
Json text(std::string_view value);
Json number(uint64_t value);

Reply json_reply(unsigned status, const Json& value);

/// An RFC 9457 problem: `code` is for programs, `detail` says what was got and what was expected.
Reply problem(unsigned status, std::string_view code, std::string_view detail, Members extra = {});

/// The problem of a failure that no route has a better word for.
Reply problem(const Status& status);

bool equals_ignoring_case(std::string_view a, std::string_view b);

/// "2026-01-31T12:00:00Z" of seconds since 1970.
std::string iso_time(int64_t seconds);
int64_t now_seconds();

/// A request that failed, as a line for the log: time=... level=warn|error method="..." path="..."
/// status=... reason="...". Bytes that are not printable ASCII are \xNN. Without the query and the
/// headers, which may hold what is nobody's business.
std::string failure_line(std::string_view method, std::string_view target, const Reply& reply);

}  // namespace enm::registry
