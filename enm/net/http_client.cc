#include "enm/net/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>

#include "enm/base/version.h"

namespace enm::net {
namespace {

// What the callbacks of one transfer share.
struct Transfer {
  const HttpOptions& options;
  const HttpRequest& request;
  HttpAnswer answer;
  size_t sent = 0;
  bool too_long = false;
};

size_t on_body(char* data, size_t, size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  std::vector<uint8_t>& body = transfer.answer.body;
  if (body.size() + size > transfer.request.max_answer) {
    transfer.too_long = true;
    return 0;
  }
  body.insert(body.end(), data, data + size);
  return size;
}

size_t on_header(char* data, size_t, size_t size, void* context) {
  HttpAnswer& answer = static_cast<Transfer*>(context)->answer;
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) answer.headers.clear();  // an answer after a redirection
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string name(line.substr(0, colon));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::string_view value = line.substr(colon + 1);
  constexpr std::string_view kBlanks = " \t\r\n";
  value.remove_prefix(std::min(value.find_first_not_of(kBlanks), value.size()));
  value = value.substr(0, value.find_last_not_of(kBlanks) + 1);
  answer.headers.insert_or_assign(std::move(name), std::string(value));
  return size;
}

size_t on_send(char* out, size_t, size_t room, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const Bytes rest = transfer.request.body.subspan(transfer.sent);
  const size_t size = std::min(room, rest.size());
  std::copy_n(rest.data(), size, out);
  transfer.sent += size;
  return size;
}

int on_seek(void* context, curl_off_t offset, int) {  // to send again on a fresh connection
  static_cast<Transfer*>(context)->sent = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

int on_progress(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& stop = static_cast<Transfer*>(context)->options.stop;
  return stop && stop() ? 1 : 0;
}

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

HeaderList header_list(const HttpRequest& request) {
  HeaderList list;
  const auto add = [&](const char* line) { list.reset(curl_slist_append(list.release(), line)); };
  add("Expect:");  // no round trip before a body: the registry takes what it can
  for (const std::string& line : request.headers) add(line.c_str());
  return list;
}

void set_body(CURL* curl, Transfer& transfer) {
  const HttpRequest& request = transfer.request;
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "GET" || request.method == "HEAD" || request.method == "DELETE") return;
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
  curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
  curl_easy_setopt(curl, CURLOPT_SEEKDATA, &transfer);
}

void configure(CURL* curl, Transfer& transfer) {
  const HttpOptions& options = transfer.options;
  curl_easy_setopt(curl, CURLOPT_URL, transfer.request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, transfer.request.follow ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, std::string(kProgram).c_str());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_ms));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(options.slowest));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, options.stall_timeout_ms / 1000L));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  set_body(curl, transfer);
}

Status failure(CURLcode code, const Transfer& transfer, const char* detail) {
  const std::string url = shown(transfer.request.url);
  if (transfer.too_long) {
    return ResourceExhausted(url, ": the answer is longer than ", transfer.request.max_answer,
                             " bytes");
  }
  if (code == CURLE_ABORTED_BY_CALLBACK) return Cancelled("interrupted");
  const std::string_view why = *detail != '\0' ? detail : curl_easy_strerror(code);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return InvalidArgument(enm::quoted(url), ": ", why, "; expected http:// or https://");
  }
  return Unavailable(url, ": ", why);
}

}  // namespace

// Idle handles, each with the connection that it used last.
class HttpClient::Handles {
 public:
  ~Handles() {
    for (CURL* handle : idle_) curl_easy_cleanup(handle);
  }
  CURL* take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return curl_easy_init();
    CURL* handle = idle_.back();
    idle_.pop_back();
    return handle;
  }
  void give_back(CURL* handle) {
    curl_easy_reset(handle);  // keeps connections
    const std::lock_guard lock(mutex_);
    idle_.push_back(handle);
  }

 private:
  std::mutex mutex_;
  std::vector<CURL*> idle_;
};

const std::string& HttpAnswer::header(const std::string& name) const {
  static const std::string kNone;
  const auto found = headers.find(name);
  return found == headers.end() ? kNone : found->second;
}

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), handles_(std::make_unique<Handles>()) {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)initialized;
}

HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::send(const HttpRequest& request) {
  CURL* curl = handles_->take();
  if (curl == nullptr) return Internal("libcurl gives no handle");
  Transfer transfer{options_, request, {}, 0, false};
  char detail[CURL_ERROR_SIZE] = "";
  const HeaderList headers = header_list(request);
  configure(curl, transfer);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
  const CURLcode code = curl_easy_perform(curl);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  const char* redirect = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) transfer.answer.redirect = redirect;
  handles_->give_back(curl);
  // A server may answer and close before it has read the body; the answer then says why.
  const bool answered = code == CURLE_SEND_ERROR && status >= 400;
  if (code != CURLE_OK && !answered) return failure(code, transfer, detail);
  transfer.answer.status = static_cast<int>(status);
  return std::move(transfer.answer);
}

namespace {

Code code_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return Code::kUntrusted;
    case 404:
    case 410:
      return Code::kNotFound;
    case 409:
      return Code::kConflict;
    case 413:
    case 507:
      return Code::kResourceExhausted;
    case 416:
    case 422:
      return Code::kCorrupt;
    case 408:
    case 425:
    case 429:
      return Code::kUnavailable;
    default:
      return status >= 500 ? Code::kUnavailable : Code::kInvalidArgument;
  }
}

constexpr size_t kMaxDetail = 500;

}  // namespace

Status error_of(const HttpAnswer& answer, std::string_view what) {
  std::string detail = cat("HTTP status ", answer.status);
  const auto json = Json::parse(as_text(answer.body));
  if (json.ok() && answer.header("content-type").starts_with("application/problem+json")) {
    const auto said = json->get_string("detail");
    if (said.ok()) detail = said->substr(0, kMaxDetail);
  }
  return Status(code_of(answer.status), cat(what, ": ", detail));
}

Result<Json> json_of(const HttpAnswer& answer, std::string_view what) {
  if (answer.status < 200 || answer.status > 299) return error_of(answer, what);
  auto json = Json::parse(as_text(answer.body));
  if (!json.ok()) return json.status().in(what);
  return json;
}

std::string shown(std::string_view url) { return std::string(url.substr(0, url.find('?'))); }

std::string url_escape(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace enm::net
