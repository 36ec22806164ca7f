#include "enm/text/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/base/mutate.h"

namespace enm::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> found(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::compile(pattern);
  if (!regex.ok()) return {std::string(regex.status().message())};
  std::vector<std::string> out;
  Regex::Finder finder(*regex, text);
  for (Regex::Match match; finder.next(match);) {
    out.emplace_back(text.substr(match.begin, match.end - match.begin));
  }
  return out;
}

TEST(Regex, PrefersAsABacktrackingEngineDoes) {
  EXPECT_THAT(found("a|ab", "ab"), ElementsAre("a"));
  EXPECT_THAT(found("ab|a", "ab"), ElementsAre("ab"));
  EXPECT_THAT(found("(a|ab)(c|bcd)", "abcd"), ElementsAre("abcd"));
  EXPECT_THAT(found("(a|ab)(c|bcd)?", "abcd"), ElementsAre("abcd"));
  EXPECT_THAT(found("a*?b|a", "aab"), ElementsAre("aab"));
  EXPECT_THAT(found("a+?", "aa"), ElementsAre("a", "a"));
  EXPECT_THAT(found("a{2,3}", "aaaaaa"), ElementsAre("aaa", "aaa"));
  EXPECT_THAT(found("a{2,3}?", "aaaaaa"), ElementsAre("aa", "aa", "aa"));
  EXPECT_THAT(found("a++a|b", "aab"), ElementsAre("b"));
  EXPECT_THAT(found("a{1,2}+", "aaaaa"),
              ElementsAre("aaaaa"));  // of Ruby: repeated, not possessive
}

TEST(Regex, LooksAroundOneCharacter) {
  EXPECT_THAT(found(R"(\s+(?!\S)|\s+)", "a   b  "), ElementsAre("  ", " ", "  "));
  EXPECT_THAT(found("(?<=a)b|(?<!a)c", "abcacc"), ElementsAre("b", "c", "c"));
  EXPECT_THAT(found(R"(\bb+\b)", "bb abb b"), ElementsAre("bb", "b"));
  EXPECT_THAT(found("^a|b$", "ab\nab"), ElementsAre("a", "b", "a", "b"));
}

TEST(Regex, KnowsClassesAndCase) {
  EXPECT_THAT(found(R"(\p{Lu}\p{Ll}*)", "Éa bÑ"), ElementsAre("Éa", "Ñ"));
  EXPECT_THAT(found("(?i:'s|k)", "'S 's '\u017f K\u212a"),
              ElementsAre("'S", "'s", "'\u017f", "K", "\u212a"));
  EXPECT_THAT(found("[a-z&&[^aeiou]]+", "hello"), ElementsAre("h", "ll"));
  EXPECT_THAT(found(R"([^\p{L}\s]+)", "a1 中2"), ElementsAre("1", "2"));
  EXPECT_THAT(found("\\p{Han}+", "a中文b"), ElementsAre("中文"));
}

TEST(Regex, GivesEmptyMatchesButNotBehindOthers) {
  EXPECT_THAT(found("x*", "axb"), ElementsAre("", "x", ""));
}

TEST(Regex, RefusesByName) {
  const std::pair<const char*, const char*> kCases[] = {
      {"(a)\\1", "escape"},          {"(?>a)", "group of that kind"},  {"(?=ab)", "more than one"},
      {"(ab)*+", "possessive"},      {"[[:alpha:]]", "class by name"}, {"a{1001}", "repeats"},
      {"\\p{Nonsense}", "Nonsense"}, {"(a", "without an end"},         {"a)", "unmatched"},
      {"[a", "without an end"},      {"*", "quantifier of nothing"},   {"[z-a]", "range"}};
  for (const auto& [pattern, message] : kCases) {
    const auto regex = Regex::compile(pattern);
    ASSERT_FALSE(regex.ok()) << pattern;
    EXPECT_THAT(std::string(regex.status().message()), HasSubstr(message)) << pattern;
  }
}

// Each would take the square of the text, or states beyond counting.
TEST(HostilePattern, IsRefusedOrLinear) {
  const std::string text(1'000'000, 'a');
  for (const char* pattern : {"a*b", "a*b|a", "(a|aa)*b", "(a*)*b", ".*.*.*b", "(?i:a)*?c"}) {
    const auto regex = Regex::compile(pattern);
    ASSERT_TRUE(regex.ok()) << regex.status().message();
    Regex::Finder finder(*regex, text);
    size_t end = 0;
    for (Regex::Match match; finder.next(match);) end = match.end;
    EXPECT_LE(end, text.size());
  }
  for (const char* pattern : {"(a|b)*a(a|b){20}", "((a{100}){100}){100}", "(a{0,1000}){1000}"}) {
    EXPECT_FALSE(Regex::compile(pattern).ok()) << pattern;
  }
  EXPECT_FALSE(Regex::compile(std::string(100'000, '(')).ok());
  EXPECT_FALSE(Regex::compile(std::string(100'000, '[')).ok());
}

TEST(HostilePattern, SurvivesDamage) {
  const std::string seeds[] = {
      R"((?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}]+[\r\n]*|\s+(?!\S)|\s+)",
      R"(^(?:a|b)*?c{2,5}$|[[a-f]&&[^c-e]\x{41}-\u005A]++|(?<=x)\b.|(?<!\n)\Ay\z)"};
  Mutator mutator(7);
  int accepted = 0;
  for (int i = 0; i < seeded_cases(); ++i) {
    const auto bytes = mutator.mutate(as_bytes(seeds[i % 2]));
    const auto regex = Regex::compile(as_text(bytes));
    if (!regex.ok()) continue;
    ++accepted;
    const std::string_view text = "don't  a1b2\n xyA中é'\u017f ccc\n";
    size_t last = 0;
    Regex::Finder finder(*regex, text);
    for (Regex::Match match; finder.next(match); last = match.end) {
      ASSERT_LE(last, match.begin);
      ASSERT_LE(match.begin, match.end);
      ASSERT_LE(match.end, text.size());
    }
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace enm::text
