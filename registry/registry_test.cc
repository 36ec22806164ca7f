#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/base/mutate.h"
#include "registry/conditional.h"
#include "registry/http.h"
#include "registry/publish_request.h"
#include "registry/target.h"

namespace enm::registry {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using Kind = RangeAnswer::Kind;

TEST(ResolveRange, OneRangeOfBytes) {
  EXPECT_EQ(resolve_range("bytes=0-0", 10), (RangeAnswer{Kind::kPart, 0, 1}));
  EXPECT_EQ(resolve_range("bytes=2-", 10), (RangeAnswer{Kind::kPart, 2, 8}));
  EXPECT_EQ(resolve_range("bytes=-3", 10), (RangeAnswer{Kind::kPart, 7, 3}));
  EXPECT_EQ(resolve_range("bytes=-30", 10), (RangeAnswer{Kind::kPart, 0, 10}));
  EXPECT_EQ(resolve_range("bytes=5-99", 10), (RangeAnswer{Kind::kPart, 5, 5}));
  EXPECT_EQ(resolve_range("BYTES=5-18446744073709551616", 10), (RangeAnswer{Kind::kPart, 5, 5}));
}

TEST(ResolveRange, BeyondTheEndIsUnsatisfiable) {
  for (const char* header : {"bytes=10-", "bytes=10-20", "bytes=-0"}) {
    EXPECT_EQ(resolve_range(header, 10).kind, Kind::kUnsatisfiable) << header;
  }
  EXPECT_EQ(resolve_range("bytes=0-", 0).kind, Kind::kUnsatisfiable);
}

TEST(ResolveRange, AnythingElseIsTheWhole) {
  for (const char* header : {"", "bytes", "bytes=", "bytes=a-b", "bytes=3-1", "bytes=0-1,3-4",
                             "items=0-1", "bytes=+1-2", "bytes=--1", "bytes=1 -2"}) {
    EXPECT_EQ(resolve_range(header, 10).kind, Kind::kWhole) << header;
  }
}

TEST(NamesEtag, ComparesWeakly) {
  EXPECT_TRUE(names_etag("\"a\", W/\"b\"", "\"b\""));
  EXPECT_TRUE(names_etag(" * ", "\"b\""));
  EXPECT_FALSE(names_etag("\"a\"", "\"b\""));
  EXPECT_FALSE(names_etag("", "\"b\""));
}

TEST(Target, IsTakenApart) {
  const auto target = parse_target("/v1/models/a%2Fb?q=x+y%26&limit=3&version=1+2#z");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "models", "a/b"}));
  EXPECT_EQ(*target->words("q"), "x y&");
  EXPECT_EQ(*target->parameter("version"), "1+2");
  EXPECT_EQ(*target->parameter("none"), "");
}

TEST(Target, HostileOnesAreRefusedOrRead) {
  for (const char* bad : {"", "*", "a", "/%", "/%4", "/%zz", "/%00", "/%ff", "/?a=%"}) {
    EXPECT_FALSE(parse_target(bad).ok()) << bad;
  }
  const std::string good = "/v1/models/fable?version=1.0.0&q=%C3%BC";
  Mutator mutator(1);
  for (int i = 0; i < 10'000; ++i) (void)parse_target(as_text(mutator.mutate(as_bytes(good))));
}

TEST(FailureLine, IsOneLineWithTheReasonAndWithoutTheQuery) {
  const std::string line =
      failure_line("GET", "/v1/a\"\n\x1b[31m\xc2\x9b?key=secret", problem(404, "x", "no\r\n\\"));
  EXPECT_THAT(line, MatchesRegex("time=[-0-9T:]+Z level=warn method=\"GET\" .*"));
  EXPECT_THAT(line, EndsWith(R"( path="/v1/a\x22\x0a\x1b[31m\xc2\x9b" status=404)"
                             R"( reason="no\x0d\x0a\x5c")"));
  EXPECT_LT(failure_line("GET", std::string(10'000, 'a'), problem(404, "x", "")).size(), 1'000u);
}

TEST(Problem, OfTheMachineIsToldToItsOwnerOnly) {
  const Reply reply = problem(IoError("cannot read /srv/blobs/1"));
  EXPECT_EQ(reply.status, 500u);
  EXPECT_THAT(reply.body, AllOf(HasSubstr("its log says why"), Not(HasSubstr("/srv"))));
  const std::string line = failure_line("GET", "/", reply);
  EXPECT_THAT(line, HasSubstr("level=error"));
  EXPECT_THAT(line, EndsWith("reason=\"cannot read /srv/blobs/1\""));
}

TEST(UploadRequest, IsRead) {
  const std::string sha(64, 'a');
  const auto good = read_upload_request(cat("{\"sha256\":\"", sha, "\",\"size\":5}"));
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->size, 5U);
  for (const std::string& bad :
       {std::string("{}"), std::string("[]"), cat("{\"sha256\":\"", sha, "\",\"size\":-1}"),
        cat("{\"sha256\":\"", sha, "\",\"size\":1.5}"),
        cat("{\"sha256\":\"", std::string(64, 'A'), "\",\"size\":1}"), std::string("")}) {
    EXPECT_FALSE(read_upload_request(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace enm::registry
