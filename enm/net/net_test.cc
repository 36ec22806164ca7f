#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "enm/base/mutate.h"
#include "enm/net/http_client.h"
#include "enm/net/http_source.h"
#include "enm/net/registry_list.h"

namespace enm::net {
namespace {

HttpAnswer answer(int status, std::string_view type, std::string_view body) {
  const Bytes bytes = as_bytes(body);
  return {status, {{"content-type", std::string(type)}}, {bytes.begin(), bytes.end()}};
}

TEST(ErrorOf, SaysWhatTheServerSaid) {
  const Status status = error_of(
      answer(403, "application/problem+json", R"({"detail":"owned by another key"})"), "x");
  EXPECT_EQ(status.code(), Code::kUntrusted);
  EXPECT_EQ(status.message(), "x: owned by another key");
}

TEST(ErrorOf, ReadsNothingIntoOtherBodies) {
  for (const char* body : {"", "<html>", R"({"detail":5})", R"({"detail":"x"})"}) {
    const Status status = error_of(answer(503, "text/html", body), "x");
    EXPECT_EQ(status.code(), Code::kUnavailable);
    EXPECT_EQ(status.message(), "x: HTTP status 503");
  }
}

TEST(UrlEscape, LeavesOnlyUnreserved) {
  EXPECT_EQ(url_escape("phi-1.5_q4~"), "phi-1.5_q4~");
  EXPECT_EQ(url_escape("1.0+b/?&ü"), "1.0%2Bb%2F%3F%26%C3%BC");
}

TEST(HttpClient, RefusesWhatIsNoHttp) {
  HttpClient client({});
  for (const char* url : {"file:///etc/passwd", "gopher://localhost/", "http://", ""}) {
    HttpRequest request;
    request.url = url;
    EXPECT_EQ(client.send(request).status().code(), Code::kInvalidArgument) << url;
  }
}

TEST(HttpClient, NobodyListeningIsUnavailable) {
  HttpClient client({});
  HttpRequest request;
  request.url = "http://127.0.0.1:1/";
  EXPECT_EQ(client.send(request).status().code(), Code::kUnavailable);
}

/// Answers every connection with the same bytes, whatever was asked, and closes it.
class CannedServer {
 public:
  CannedServer() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = cat("http://127.0.0.1:", ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~CannedServer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  const std::string& url() const { return url_; }
  void answer(std::vector<uint8_t> bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ = std::move(bytes);
  }

 private:
  void serve() {
    for (int fd; (fd = ::accept(socket_, nullptr, nullptr)) >= 0; ::close(fd)) {
      char request[4096];
      (void)!::read(fd, request, sizeof request);
      const std::lock_guard lock(mutex_);
      (void)!::send(fd, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
    }
  }

  int socket_;
  std::string url_;
  std::mutex mutex_;
  std::vector<uint8_t> bytes_;
  std::thread thread_;
};

std::vector<uint8_t> http(std::string_view head, std::string_view body) {
  const std::string text = cat("HTTP/1.1 ", head, "\r\nContent-Length: ", body.size(),
                               "\r\nConnection: close\r\n\r\n", body);
  return {text.begin(), text.end()};
}

// Whatever comes is an answer or an error. A redirection may lead anywhere, so none is followed to
// another server here: what cannot be reached is an error too.
TEST(HttpAnswers, MutationsAreErrorsOrAnswers) {
  CannedServer server;
  const std::vector<uint8_t> answers[] = {
      http("200 OK\r\nContent-Type: application/json\r\nLink: </v1/models?x>; rel=\"prev\"",
           R"([{"id":"a","name":"b","version":"1.0.0","type":"embedding","size":5}])"),
      http("206 Partial Content\r\nContent-Range: bytes 0-4/9", "12345"),
      http("403 Forbidden\r\nContent-Type: application/problem+json",
           R"({"type":"about:blank","title":"Forbidden","status":403,"detail":"no","code":"x"})")};
  HttpSource source(
      {.connect_timeout_ms = 1000, .stall_timeout_ms = 1000, .stop = nullptr, .slowest = 1},
      server.url());
  HttpClient client(
      {.connect_timeout_ms = 1000, .stall_timeout_ms = 1000, .stop = nullptr, .slowest = 1});
  distribution::RemoteFile file;
  file.size = 9;
  std::vector<uint8_t> out(5);
  server.answer(answers[0]);
  EXPECT_EQ(list_models(client, server.url(), {})->size(), 1U);
  server.answer(answers[1]);
  EXPECT_EQ(source.read(file, 0, out).message(), "ok");
  Mutator mutator(11);
  for (int i = 0; i < 10'000; ++i) {
    server.answer(mutator.mutate(answers[i % 3]));
    if (i % 3 == 0) (void)list_models(client, server.url(), {});
    if (i % 3 == 1) (void)source.read(file, 0, out);
    if (i % 3 == 2) {
      EXPECT_FALSE(source.manifest({"a", ""}).ok());
    }
  }
}

}  // namespace
}  // namespace enm::net
