#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <numeric>
#include <random>

#include "enm/base/bytes.h"
#include "enm/base/cpu.h"
#include "enm/base/file_posix.h"
#include "enm/base/half.h"
#include "enm/base/json.h"
#include "enm/base/order.h"
#include "enm/base/threads.h"

namespace enm {
namespace {

using ::testing::HasSubstr;

TEST(Status, EveryCodeHasItsOwnName) {
  std::vector<std::string> names;
  for (int code = 0; code <= static_cast<int>(Code::kInternal); ++code) {
    names.emplace_back(code_name(static_cast<Code>(code)));
  }
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_NE(names[i], "unknown");
    for (size_t j = 0; j < i; ++j) EXPECT_NE(names[i], names[j]);
  }
}

TEST(Status, ContextGoesInFront) {
  const Status status = Corrupt("got ", 3, ", expected ", 4).in("[onnx] a.onnx");
  EXPECT_EQ(status.message(), "[onnx] a.onnx: got 3, expected 4");
  EXPECT_EQ(status.code(), Code::kCorrupt);
  EXPECT_TRUE(Status().in("x").ok());
}

TEST(Result, AssignOrReturnPassesFailuresOn) {
  const auto half = [](int n) -> Result<int> {
    if (n % 2 != 0) return InvalidArgument(n, " is odd");
    return n / 2;
  };
  const auto quarter = [&](int n) -> Result<int> {
    ENM_ASSIGN_OR_RETURN(const int h, half(n));
    return half(h);
  };
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).status().message(), "3 is odd");
}

TEST(Strings, QuotedHidesControlBytesAndCuts) {
  EXPECT_EQ(quoted("a\x1b[31m\"b"), "\"a\\x1b[31m\\\"b\"");
  EXPECT_EQ(quoted("abcdef", 3), "\"abc...\"");
  EXPECT_EQ(quoted("\xff\xc3\xa9"), "\"\\xff\\xc3\\xa9\"");        // no UTF-8
  EXPECT_EQ(shown("\xc3\xa9\"\xc2\x9b"), "\xc3\xa9\"\\xc2\\x9b");  // U+009B begins a command
  EXPECT_EQ(shown("a\xc3\xa9", 2), "a...");
}

TEST(Strings, Utf8AcceptsEveryCodePointAndNothingElse) {
  for (const char* good : {"", "a", "\x7f", "\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x82x"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(ByteReader, RefusesToRunPastTheEnd) {
  const uint8_t bytes[] = {1, 0, 0, 0, 7};
  ByteReader reader(bytes);
  EXPECT_EQ(*reader.read<uint32_t>(), 1u);
  EXPECT_EQ(reader.read<uint16_t>().status().code(), Code::kCorrupt);
  EXPECT_EQ(reader.read_bytes(UINT64_MAX).status().code(), Code::kCorrupt);
  EXPECT_EQ(*reader.read<uint8_t>(), 7);
}

TEST(Half, EveryHalfSurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = half_to_float(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
    } else {
      EXPECT_EQ(float_to_half(value), half) << value;
    }
  }
}

#if defined(__FLT16_MANT_DIG__)
TEST(Half, RoundsAsTheCompilersHalfDoes) {
  std::mt19937 random(1);
  for (int i = 0; i < 2'000'000; ++i) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isnan(value)) continue;
    const auto expected = std::bit_cast<uint16_t>(static_cast<_Float16>(value));
    ASSERT_EQ(float_to_half(value), expected) << value;
  }
}
#endif

TEST(Bfloat16, RoundsToNearestEven) {
  EXPECT_EQ(float_to_bfloat16(1.0f), 0x3f80);
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(float_to_bfloat16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(std::nanf("")))));
}

TEST(ThreadPool, CoversEveryIndexOnce) {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (int64_t count : {0, 1, 7, 1000}) {
      for (int64_t grain : {1, 3, 64}) {
        std::vector<std::atomic<int>> hits(static_cast<size_t>(count));
        pool.parallel_for(count, grain, [&](int64_t begin, int64_t end, int worker) {
          EXPECT_GE(worker, 0);
          EXPECT_LT(worker, threads);
          for (int64_t i = begin; i < end; ++i) ++hits[static_cast<size_t>(i)];
        });
        for (auto& hit : hits) EXPECT_EQ(hit.load(), 1);
      }
    }
  }
}

TEST(ThreadPool, ManyShortJobsInARow) {
  ThreadPool pool(4);
  std::atomic<int64_t> sum{0};
  for (int job = 0; job < 2'000; ++job) {
    pool.parallel_for(8, 1, [&](int64_t begin, int64_t, int) { sum += begin; });
  }
  EXPECT_EQ(sum.load(), 2'000 * 28);
}

TEST(Isa, ScalarIsAlwaysThere) {
  EXPECT_TRUE(isa_available(Isa::kScalar));
  EXPECT_FALSE(isa_available(Isa::kSimd128));
}

TEST(Isa, ForcedIsaIsUsedOrRefused) {
  ::setenv("ENM_ISA", "scalar", 1);
  EXPECT_EQ(*select_isa(), Isa::kScalar);
  ::setenv("ENM_ISA", "relaxed-simd", 1);
  EXPECT_EQ(select_isa().status().code(), Code::kUnsupported);
  ::setenv("ENM_ISA", "mmx", 1);
  EXPECT_EQ(select_isa().status().code(), Code::kInvalidArgument);
  ::unsetenv("ENM_ISA");
}

TEST(Json, ReadsValuesWithTypes) {
  const auto json = Json::parse(
      R"({"n": 3, "x": 0.5, "s": "é\n", "a": [true, null], "big": 18446744073709551615})");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(*json->get_int("n"), 3);
  EXPECT_EQ(*json->get_double("x"), 0.5);
  EXPECT_EQ(*json->get_string("s"), "é\n");
  EXPECT_EQ(json->find("a")->items().size(), 2u);
  EXPECT_EQ(*json->get_int("missing", 9), 9);
  EXPECT_THAT(std::string(json->get_int("s").status().message()),
              HasSubstr("expected integer, got string"));
}

TEST(Json, NumbersAtTheEdges) {
  EXPECT_EQ(Json::parse("0.0e40")->number(), 0.0);
  EXPECT_EQ(Json::parse("1e-999")->number(), 0.0);
  EXPECT_EQ(Json::parse("-9223372036854775808")->integer(), INT64_MIN);
  EXPECT_FALSE(Json::parse("9223372036854775808")->is_int());
  EXPECT_EQ(Json::parse("1.7976931348623157e308")->number(), 1.7976931348623157e308);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text :
       {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "1 2", "\"\xff\"", "1e999", "// c\n1", "nul", "[1",
        "\"\\ud800\"", "\"\\ude00\"", "{\"\\ude00\":1}"}) {
    EXPECT_EQ(Json::parse(text).status().code(), Code::kCorrupt) << text;
  }
  EXPECT_EQ(Json::parse(std::string(100'000, '[')).status().code(), Code::kCorrupt);
  EXPECT_EQ(Json::parse("[1, 2, 3]", {.max_bytes = 4}).status().code(), Code::kResourceExhausted);
}

TEST(Json, FindsAKeyThatStandsTwiceAmongMany) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += cat("\"", i * 7919 % 100'003, "\": [], ");
  EXPECT_EQ(Json::parse(text + "\"\": 0}")->members().size(), 100'001u);
  EXPECT_THAT(std::string(Json::parse(text + "\"7919\": 0}").status().message()),
              HasSubstr("key \"7919\" stands twice"));
  EXPECT_THAT(std::string(Json::parse(R"({"a": {"b": 1, "b": 2}})").status().message()),
              HasSubstr("key \"b\" stands twice"));
  EXPECT_TRUE(Json::parse(R"({"a": {"b": 1}, "b": {"a": 2}})").ok());
}

TEST(Json, CopiesAreWhole) {
  const auto json = Json::parse(R"({"a": [1, "two", {"three": 3.5}], "b": null})");
  Json copy = *json;
  Json moved = std::move(copy);
  EXPECT_TRUE(copy.is_null());  // NOLINT(bugprone-use-after-move): that is what is asked
  EXPECT_EQ(moved.find("a")->items()[1].string(), "two");
  EXPECT_NE(moved.find("a")->items()[1].string().data(),
            json->find("a")->items()[1].string().data());
  moved = moved.find("a")->items()[2];  // out of itself
  EXPECT_EQ(*moved.get_double("three"), 3.5);
  EXPECT_TRUE(moved.string().empty() && moved.items().empty());
}

TEST(SortedOrder, IsThatOfAStableSort) {
  std::mt19937 random(1);
  for (uint32_t count : {0, 1, 2, 3, 5, 8, 100, 1000}) {
    std::vector<uint32_t> keys(count);
    for (uint32_t& key : keys) key = random() % 20;
    std::vector<uint32_t> expected(count);
    std::iota(expected.begin(), expected.end(), 0u);
    const auto less = [&](uint32_t a, uint32_t b) { return keys[a] < keys[b]; };
    std::stable_sort(expected.begin(), expected.end(), less);
    EXPECT_EQ(sorted_order(count, less), expected);
  }
}

TEST(Json, QuoteRoundTrips) {
  std::string text;
  for (int c = 0; c < 128; ++c) text.push_back(static_cast<char>(c));
  EXPECT_EQ(Json::parse(json_quote(text))->string(), text);
}

TEST(RelativeName, RefusesEveryWayOut) {
  for (std::string_view name : {"", "/etc/passwd", "..", "a/../../b", "a//b", "./a", "C:/x", "a\\b",
                                "a/..", "\\\\server\\share"}) {
    EXPECT_FALSE(check_relative_name(name).ok()) << name;
  }
  EXPECT_FALSE(check_relative_name(std::string_view("a\0b", 3)).ok());
  EXPECT_TRUE(check_relative_name("onnx/model.onnx_data").ok());
}

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() / cat("enm_base_", ::getpid());
    std::filesystem::create_directories(root_ / "model");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::filesystem::path root_;
};

TEST_F(FileTest, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  const std::string pipe = root_ / "model" / "model.onnx_data";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);  // nobody ever writes to it
  const Status refused = map_file(pipe).status();
  EXPECT_EQ(refused.code(), Code::kInvalidArgument);
  EXPECT_EQ(refused.message(), cat(pipe, " is a pipe; expected a regular file"));
  EXPECT_THAT(DirectoryFiles(root_ / "model").open("model.onnx_data").status().message(),
              HasSubstr("is a pipe"));
  EXPECT_THAT(read_file(root_, 1).status().message(), HasSubstr("is a folder"));
  EXPECT_THAT(read_file("/dev/null", 1).status().message(), HasSubstr("is a device"));
}

TEST_F(FileTest, WrittenBytesAreReadBack) {
  const std::string path = root_ / "f";
  ASSERT_TRUE(write_file_atomically(path, as_bytes("hello")).ok());
  EXPECT_EQ(as_text(map_file(path)->bytes()), "hello");
  EXPECT_EQ(read_file(path, 4).status().code(), Code::kResourceExhausted);
  EXPECT_EQ(read_file(path, 5)->size(), 5u);
  EXPECT_EQ(map_file(path + "x").status().code(), Code::kNotFound);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_), {}), 2);
}

TEST_F(FileTest, DirectoryRefusesLinksThatLeaveIt) {
  ASSERT_TRUE(write_file_atomically(root_ / "secret", as_bytes("s")).ok());
  ASSERT_TRUE(write_file_atomically(root_ / "model/in", as_bytes("i")).ok());
  std::filesystem::create_symlink("../secret", root_ / "model/out");
  std::filesystem::create_symlink("..", root_ / "model/up");
  const DirectoryFiles files((root_ / "model").string());
  EXPECT_TRUE(files.open("in").ok());
  EXPECT_EQ(files.open("out").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(files.open("up/secret").status().code(), Code::kInvalidArgument);
  EXPECT_EQ(files.open("none").status().code(), Code::kNotFound);
}

}  // namespace
}  // namespace enm
