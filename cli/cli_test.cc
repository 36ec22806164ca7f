#include <gtest/gtest.h>

#include <set>

#include "cli/context.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"

namespace cli {
namespace {

TEST(Format, BytesHaveThreeDigits) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1000), "1.00 kB");
  EXPECT_EQ(human_bytes(16'840'000), "16.8 MB");
  EXPECT_EQ(human_bytes(999'999), "1.00 MB");
  EXPECT_EQ(human_bytes(1'242'000'000), "1.24 GB");
}

TEST(Format, DurationsReadWell) {
  EXPECT_EQ(human_duration(0.84), "0.8 s");
  EXPECT_EQ(human_duration(185), "3m 05s");
  EXPECT_EQ(human_duration(7800), "2h 10m");
  EXPECT_EQ(human_duration(-1), "--");
}

TEST(Format, SizesParseWithUnits) {
  EXPECT_EQ(*parse_bytes("10GB"), 10'000'000'000u);
  EXPECT_EQ(*parse_bytes("512 MiB"), 512u << 20);
  EXPECT_EQ(*parse_bytes("1.5k"), 1500u);
  EXPECT_EQ(*parse_bytes("42"), 42u);
  for (const char* bad : {"", "GB", "10XB", "-1", "1e30", "10GBs"})
    EXPECT_FALSE(parse_bytes(bad).ok()) << bad;
}

TEST(Format, DurationsParse) {
  EXPECT_EQ(*parse_duration("30d"), 30 * 86400);
  EXPECT_FALSE(parse_duration("30").ok());
  EXPECT_FALSE(parse_duration("d").ok());
}

TEST(Format, NumbersAlignRight) {
  EXPECT_EQ(table({{"NAME", "SIZE"}, {"a", "5"}, {"bé", "1000"}}),
            "NAME  SIZE\na        5\nbé    1000");
}

TEST(JsonObject, IsOneParsableDocument) {
  const std::string text = JsonObject()
                               .add("a", "x\n\"")
                               .add("n", 3)
                               .add("f", 0.1f)
                               .add("list", std::vector<std::string>{"p", "q"})
                               .add("o", JsonObject().add("nan", std::nan("")).raw())
                               .str();
  EXPECT_EQ(text, R"({"a":"x\n\"","n":3,"f":0.1,"list":["p","q"],"o":{"nan":null}})");
  EXPECT_TRUE(enm::Json::parse(text).ok());
}

TEST(ExitCode, UsageErrorsAndTrustErrorsCanBeToldApart) {
  std::set<int> codes;
  for (int code = 0; code < static_cast<int>(enm::Code::kIo); ++code) {
    codes.insert(exit_code(static_cast<enm::Code>(code)));
  }
  EXPECT_EQ(codes.size(), static_cast<size_t>(enm::Code::kIo));
}

}  // namespace
}  // namespace cli
