#include "enm/net/hub.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

#include "enm/net/http_range.h"
#include "enm/net/http_source.h"

namespace enm::net {
namespace {

using distribution::RemoteFile;

constexpr int kMaxRedirections = 5;
constexpr int kMaxPages = 100;
constexpr int64_t kLongestWaitSeconds = 120;  // that a hub may ask for
constexpr int kSlowestBytesPerSecond = 256;

int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

bool is_web_url(std::string_view url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

// What a header and a URL carry without a change: no blanks, no control bytes.
bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

bool is_this_machine(std::string_view url) {
  std::string_view host = url.substr(url.find("://") + 3);
  if (host.starts_with("[::1]")) return true;
  host = host.substr(0, host.find_first_of(":/"));
  return host == "localhost" || (host.starts_with("127.") &&
                                 host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::string escaped_path(std::string_view path) {
  std::string out;
  for (const std::string_view part : split(path, '/')) out += cat("/", url_escape(part));
  return out;
}

// The target of `Link: <target>; rel="next"` as a path; "" if there is none. A mirror may name the
// host that it mirrors: only the path counts.
Result<std::string> next_page(const HttpAnswer& answer) {
  const std::string& link = answer.header("link");
  const size_t end = link.find('>');
  if (link.find("rel=\"next\"", std::min(end, link.size())) == std::string_view::npos)
    return std::string();
  const size_t path = link.find("/api/models/");
  std::string target = path < end ? link.substr(path, end - path) : std::string();
  if (!target.empty() && is_printable(target)) return target;
  return Corrupt("a next page at ", quoted(link));
}

}  // namespace

Result<std::unique_ptr<Hub>> Hub::open(HubOptions options) {
  options.endpoint = without_slash(options.endpoint);
  const std::string& endpoint = options.endpoint;
  if (!is_web_url(endpoint) || !is_printable(endpoint) ||
      endpoint.find_first_of("@?#") != std::string_view::npos) {
    return InvalidArgument("setting hub.endpoint: got ", quoted(endpoint),
                           "; expected something like https://huggingface.co");
  }
  if (!is_printable(options.token)) {
    return InvalidArgument("the hub's token has blanks or control characters in it");
  }
  const bool safe = endpoint.starts_with("https://") || is_this_machine(endpoint);
  options.http.slowest = kSlowestBytesPerSecond;
  return std::unique_ptr<Hub>(new Hub(options, safe));
}

Hub::Hub(const HubOptions& options, bool send_token)
    : endpoint_(options.endpoint),
      base_(endpoint_ + "/"),
      authorization_(send_token && !options.token.empty() ? "Authorization: Bearer " + options.token
                                                          : ""),
      stop_(options.http.stop),
      client_(options.http) {}

void Hub::heed_retry_after(const HttpAnswer& answer) {
  if (answer.status != 429 && answer.status != 503) return;
  const std::string& text = answer.header("retry-after");
  int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (seconds > 0) not_before_ = now_ms() + 1000 * std::min(seconds, kLongestWaitSeconds);
}

Status Hub::wait_turn() const {
  while (now_ms() < not_before_) {
    if (stop_ && stop_()) return Cancelled("interrupted while the hub asked to wait");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return Status();
}

// Follows redirections itself, so that the token goes to the hub alone; `request.url` becomes where
// the answer came from.
Result<HttpAnswer> Hub::send(HttpRequest& request) {
  const std::vector<std::string> headers = request.headers;
  request.follow = false;
  for (int i = 0; i <= kMaxRedirections; ++i) {
    ENM_RETURN_IF_ERROR(wait_turn());
    request.headers = headers;
    if (!authorization_.empty() && is_here(request.url)) request.headers.push_back(authorization_);
    ENM_ASSIGN_OR_RETURN(HttpAnswer answer, client_.send(request));
    heed_retry_after(answer);
    if (answer.status < 300 || answer.status >= 400) return answer;
    const bool safe =
        answer.redirect.starts_with("https://") ||
        (answer.redirect.starts_with("http://") && request.url.starts_with("http://"));
    if (!safe) {
      return Unavailable(shown(request.url), ": HTTP status ", answer.status, " leads to ",
                         quoted(shown(answer.redirect)),
                         "; expected http or https, and no way back from https");
    }
    request.url = answer.redirect;
  }
  return Unavailable(shown(request.url), ": more than ", kMaxRedirections, " redirections");
}

Status Hub::refusal(const HttpAnswer& answer, std::string_view what) const {
  Status status = error_of(answer, what);
  const bool known = !authorization_.empty();
  switch (answer.status) {
    case 401:
      return Untrusted(what, ": ", endpoint_, " has no such model, or ",
                       known ? "the token may not read it"
                             : "wants a token for it: set HF_TOKEN, or hub.token of the settings");
    case 403:
      return Untrusted(what, ": ", endpoint_, " refuses access; ",
                       known ? "ask for it on the model's page, or use another token"
                             : "ask for it on the model's page and set HF_TOKEN");
    case 404:
      return NotFound(what, ": ", endpoint_, " has no such model, revision or file");
    case 429:
      return Unavailable(what, ": ", endpoint_, " had too many requests (HTTP status 429); ",
                         known ? "try again later" : "try again later, or set HF_TOKEN");
    default:
      return status;
  }
}

Result<HttpAnswer> Hub::get_listing(const std::string& path, const HubRef& ref) {
  HttpRequest request;
  request.url = endpoint_ + path;
  request.max_answer = kMaxListingBytes;
  request.headers = {"Accept: application/json", "Accept-Encoding: identity"};
  ENM_ASSIGN_OR_RETURN(HttpAnswer answer, send(request));
  if (answer.status != 200) return refusal(answer, ref.text());
  return answer;
}

// Page by page, for hubs whose answer to the revision has no hashes.
Status Hub::list_tree(const HubRef& ref, HubListing& listing) {
  std::string page =
      cat("/api/models/", ref.repository, "/tree/", listing.commit, "?recursive=true");
  for (int i = 0; i < kMaxPages && !page.empty(); ++i) {
    ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, get_listing(page, ref));
    ENM_RETURN_IF_ERROR(add_hub_tree(as_text(answer.body), listing));
    ENM_ASSIGN_OR_RETURN(page, next_page(answer));
  }
  return page.empty() ? Status() : ResourceExhausted("more than ", kMaxPages, " pages of files");
}

Result<HubListing> Hub::resolve(const HubRef& ref) {
  const std::string path =
      cat("/api/models/", ref.repository, "/revision/", url_escape(ref.revision), "?blobs=true");
  ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, get_listing(path, ref));
  const std::string where = cat(ref.text(), " as ", endpoint_, " lists it");
  auto listing = parse_hub_revision(as_text(answer.body));
  if (!listing.ok()) return listing.status().in(where);
  if (listing->files.empty()) ENM_RETURN_IF_ERROR(list_tree(ref, *listing).in(where));
  ENM_RETURN_IF_ERROR(finish_hub_listing(*listing).in(where));
  for (RemoteFile& file : listing->files) {
    file.path = cat("/", ref.repository, "/resolve/", listing->commit, escaped_path(file.name));
  }
  return listing;
}

Status Hub::read_at(const RemoteFile& file, HttpRequest& request, uint64_t offset,
                    MutableBytes out) {
  ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, send(request));
  // A place that redirections led to is good for a while only; then the hub names another.
  if (!is_here(request.url) && answer.status >= 400) {
    return Unavailable(shown(request.url), ": HTTP status ", answer.status);
  }
  if (answer.status >= 400) return refusal(answer, cat("HTTP status ", answer.status));
  return take_range(answer, request.url, file.size, offset, out);
}

Status Hub::read(const RemoteFile& file, uint64_t offset, MutableBytes out) {
  if (out.empty()) return Status();
  HttpRequest request;
  request.url = endpoint_ + file.path;
  {
    const std::lock_guard lock(mutex_);
    const auto known = places_.find(file.path);
    if (known != places_.end()) request.url = known->second;
  }
  ask_for_range(request, offset, out.size());
  Status status = read_at(file, request, offset, out);
  const std::lock_guard lock(mutex_);
  if (status.ok()) {
    places_.insert_or_assign(file.path, request.url);
  } else {
    places_.erase(file.path);
  }
  return status;
}

}  // namespace enm::net
