#include "enm/net/http_range.h"

#include <algorithm>

namespace enm::net {

void ask_for_range(HttpRequest& request, uint64_t offset, uint64_t size) {
  constexpr uint64_t kErrorBytes = 64 << 10;  // room for a page that says why not
  request.headers.push_back(cat("Range: bytes=", offset, "-", offset + size - 1));
  request.headers.emplace_back("Accept-Encoding: identity");
  request.max_answer = size + kErrorBytes;
}

Status take_range(const HttpAnswer& answer, std::string_view url, uint64_t file_size,
                  uint64_t offset, MutableBytes out) {
  if (answer.status >= 400) return error_of(answer, shown(url));
  const std::string& got = answer.header("content-range");
  const std::string wanted = cat("bytes ", offset, "-", offset + out.size() - 1, "/", file_size);
  const bool whole = answer.status == 200 && out.size() == file_size;
  if (!whole && (answer.status != 206 || got != wanted)) {
    return Unavailable(shown(url), ": asked for ", wanted, "; got HTTP status ", answer.status,
                       " and Content-Range ", quoted(got));
  }
  const std::string& coding = answer.header("content-encoding");
  if (!coding.empty() && coding != "identity") {
    return Unavailable(shown(url), ": the bytes come coded as ", quoted(coding));
  }
  if (answer.body.size() != out.size()) {
    return Unavailable(shown(url), ": got ", answer.body.size(), " bytes of ", out.size());
  }
  std::copy(answer.body.begin(), answer.body.end(), out.begin());
  return Status();
}

}  // namespace enm::net
