// The registry on a socket: HTTP/1.1 by Boost.Beast, one coroutine a connection.
#pragma once

#include <functional>
#include <string>

#include "enm/base/status.h"
#include "registry/uploads.h"

namespace enm::registry {

struct ServerOptions {
  std::string data;  // folder; one server at a time
  std::string host = "127.0.0.1";
  uint16_t port = 8420;  // 0: a free one
  std::string pages;     // folder of a web page to serve under "/"; "" for none
  UploadLimits limits;
  /// Asked several times a second; true ends serve().
  std::function<bool()> stop;
  /// Told the URL once connections are accepted.
  std::function<void(const std::string& url)> ready;
  /// Told each request that failed, in a line (failure_line in http.h); by several threads at once.
  std::function<void(const std::string& line)> log;
};

/// Serves until stopped. kConflict if another server has the data folder, kUnavailable if the
/// address cannot be had. What was answered is durable; unfinished uploads can be resumed.
Status serve(const ServerOptions& options);

}  // namespace enm::registry
