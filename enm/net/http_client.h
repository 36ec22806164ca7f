// Requests over HTTP(S), by libcurl.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/bytes.h"
#include "enm/base/json.h"
#include "enm/base/status.h"
#include "enm/distribution/retry.h"

namespace enm::net {

struct HttpOptions {
  int connect_timeout_ms = 30'000;
  int stall_timeout_ms = 30'000;  // below `slowest`; long transfers that move are left alone
  distribution::Stop stop;        // breaks off a transfer
  int slowest = 1;                // bytes a second
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  Bytes body;
  uint64_t max_answer = 1 << 20;  // bytes; a longer body is kResourceExhausted
  bool follow = true;             // redirections
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::vector<uint8_t> body;
  std::string redirect;  // where it leads, as a whole URL, if the request did not follow

  const std::string& header(const std::string& name) const;
};

/// May be used by several threads at once; connections are kept and used again.
class HttpClient {
 public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();

  /// Any answer is a success, also one of status 404. kUnavailable where no whole answer came,
  /// kCancelled after `stop`, kInvalidArgument for a URL that is none. Redirections are followed
  /// five times, to http and https only.
  Result<HttpAnswer> send(const HttpRequest& request);

 private:
  class Handles;
  const HttpOptions options_;
  std::unique_ptr<Handles> handles_;
};

/// What a status of 400 and above means, with the `detail` of application/problem+json if there is
/// one: "<what>: <detail>". See docs/formats/registry-protocol.md for the codes.
Status error_of(const HttpAnswer& answer, std::string_view what);

/// The answer's body as JSON; error_of for a status other than 2xx.
Result<Json> json_of(const HttpAnswer& answer, std::string_view what);

/// A URL for messages: without its query, which may hold a signature that opens a private file.
std::string shown(std::string_view url);

/// Text as one segment of a path or a value of a query: all but letters, digits and "-._~" as %XX.
std::string url_escape(std::string_view text);

}  // namespace enm::net
