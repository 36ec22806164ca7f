#include "enm/text/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "enm/text/trie.h"

namespace enm::text {
namespace {

using ::testing::HasSubstr;
using Entries = std::vector<TokenizerParts::Token>;

TEST(Trie, FindsWhatASearchFinds) {
  std::mt19937 random(1);
  const auto word = [&](size_t limit) {
    std::string out(random() % limit, 'a');
    for (char& c : out) c = "ab\xff\0"[random() % 4];
    return out;
  };
  for (int round = 0; round < 500; ++round) {
    std::set<std::string> tokens;
    for (size_t count = random() % 40; count > 0; --count) tokens.insert(word(7));
    const std::vector<std::string_view> list(tokens.begin(), tokens.end());
    const Trie trie(list);
    for (int i = 0; i < 20; ++i) {
      const std::string text = word(9);
      const std::string start = word(3);
      const auto found = std::find(list.begin(), list.end(), text);
      EXPECT_EQ(trie.find(text), found == list.end() ? -1 : found - list.begin());
      size_t longest = text.size();
      while (longest > 0 && !tokens.contains(start + text.substr(0, longest))) --longest;
      const Trie::Match match = trie.longest(text, trie.walk(Trie::kRoot, start));
      ASSERT_EQ(match.length, longest);
      if (longest > 0) {
        ASSERT_EQ(list[static_cast<size_t>(match.value)], start + text.substr(0, longest));
      }
    }
  }
}

TEST(Trie, OfNothingHasNothing) {
  EXPECT_EQ(Trie().find(""), -1);
  EXPECT_EQ(Trie().find("a"), -1);
  EXPECT_EQ(Trie().longest("a").length, 0u);
}

TEST(Vocabulary, FindsTokensAndIdsWhateverIsLeftOut) {
  std::mt19937 random(2);
  for (const int64_t limit : {50, 60, 1000, 1 << 24}) {
    std::set<int64_t> ids;
    while (ids.size() < 50) ids.insert(static_cast<int64_t>(random()) % limit);
    std::vector<std::string> names;
    for (int64_t id : ids) names.push_back(cat("token ", id));
    Entries entries;
    for (size_t i = 0; int64_t id : ids) entries.push_back({names[i++], id});
    std::shuffle(entries.begin(), entries.end(), random);
    const auto vocabulary = Vocabulary::make(entries);
    ASSERT_TRUE(vocabulary.ok()) << vocabulary.status().message();
    EXPECT_EQ(vocabulary->size(), 50u);
    for (const auto& [token, id, score] : entries) {
      EXPECT_EQ(vocabulary->id_of(token), id);
      const int32_t index = vocabulary->index(static_cast<int32_t>(id));
      ASSERT_GE(index, 0);
      EXPECT_EQ(vocabulary->token(static_cast<size_t>(index)), token);
      for (int64_t other : {id - 1, id + 1}) {
        EXPECT_EQ(vocabulary->index(static_cast<int32_t>(other)) >= 0, ids.contains(other));
      }
    }
    for (int32_t id : {-1, INT32_MIN, INT32_MAX}) EXPECT_EQ(vocabulary->index(id), -1);
  }
  EXPECT_EQ(Vocabulary().index(0), -1);
  EXPECT_EQ(Vocabulary().id_of(""), -1);
}

TEST(Vocabulary, RefusesByName) {
  const auto refused = [](const Entries& entries) {
    const auto vocabulary = Vocabulary::make(entries, 5);
    return vocabulary.ok() ? std::string() : std::string(vocabulary.status().message());
  };
  EXPECT_EQ(refused({{"a", 0}, {"b", kIdLimit - 1}}), "");
  EXPECT_EQ(refused({{"a", kIdLimit}}), R"(token "a" has no id from 0 to 16777215)");
  EXPECT_EQ(refused({{"a", -1}}), R"(token "a" has no id from 0 to 16777215)");
  EXPECT_EQ(refused({{"a", 7}, {"b", 7}}), R"(tokens "a" and "b" have the same id 7)");
  EXPECT_EQ(refused({{"a", 1}, {"a", 2}}), R"(token "a" stands twice)");
  EXPECT_EQ(refused({{"long\n!", 1}}), R"(token "long\x0a!" has 6 bytes; at most 5 are supported)");
}

}  // namespace
}  // namespace enm::text
