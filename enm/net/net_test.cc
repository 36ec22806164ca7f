#include <gtest/gtest.h>

#include "enm/net/http_client.h"

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

}  // namespace
}  // namespace enm::net
