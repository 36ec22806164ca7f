#include "enm/text/bpe_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace enm::text {
namespace {

using ::testing::ElementsAre;
using Merges = std::vector<BpeMerges::Merge>;
using Word = std::vector<BpeMerges::Symbol>;

Word merged(const BpeMerges& merges, Word word, BpeMerges::Scratch& scratch) {
  word.resize(merges.apply(word, scratch));
  return word;
}

Word merged(const BpeMerges& merges, const Word& word) {
  BpeMerges::Scratch scratch;
  return merged(merges, word, scratch);
}

// Merges whose ranks are their places.
BpeMerges in_order(Merges merges) {
  for (size_t i = 0; i < merges.size(); ++i) merges[i].rank = static_cast<uint32_t>(i);
  auto made = BpeMerges::make(merges);
  EXPECT_TRUE(made.ok());
  return *std::move(made);
}

// What the header says, word for word.
Word merged_by_definition(const Merges& merges, Word word) {
  for (;;) {
    std::optional<size_t> best;
    size_t place = 0;
    for (size_t i = 0; i + 1 < word.size(); ++i) {
      for (size_t rank = merges.size(); rank-- > 0;) {
        if (merges[rank].left != word[i] || merges[rank].right != word[i + 1]) continue;
        if (!best || rank < *best) {
          best = rank;
          place = i;
        }
        break;  // the last of equal pairs counts
      }
    }
    if (!best) return word;
    word[place] = merges[*best].result;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(place) + 1);
  }
}

TEST(BpeMerges, LowestRankFirstThenLeftmost) {
  const BpeMerges merges = in_order({{1, 2, 4, 0}, {0, 1, 3, 0}, {0, 0, 5, 0}});
  EXPECT_THAT(merged(merges, {0, 1, 2}), ElementsAre(0, 4));
  EXPECT_THAT(merged(merges, {0, 0, 1}), ElementsAre(0, 3));
  EXPECT_THAT(merged(merges, {0, 0, 0}), ElementsAre(5, 0));
  EXPECT_THAT(merged(merges, {}), ElementsAre());
  EXPECT_THAT(merged(merges, {2}), ElementsAre(2));
}

TEST(BpeMerges, OfAPairThatStandsTwiceTheLastCounts) {
  EXPECT_THAT(merged(in_order({{0, 1, 3, 0}, {1, 2, 4, 0}, {0, 1, 3, 0}}), {0, 1, 2}),
              ElementsAre(0, 4));
}

TEST(BpeMerges, OfEqualRanksTheLeftmostFirst) {
  const auto merges = BpeMerges::make(Merges{{0, 0, 1, 7}, {1, 0, 2, 7}, {0, 1, 3, 9}});
  ASSERT_TRUE(merges.ok());
  EXPECT_THAT(merged(*merges, {0, 0, 0, 0}), ElementsAre(2, 0));
}

TEST(BpeMerges, KeepTheStartsOfLeftParts) {
  const BpeMerges merges = in_order({{0, 0, 1, 0}, {1, 1, 2, 0}, {2, 2, 3, 0}});
  BpeMerges::Scratch scratch;
  for (const size_t size : {size_t{9}, size_t{41}}) {
    Word word(size, 0);
    std::vector<uint32_t> starts(size);
    for (uint32_t i = 0; i < size; ++i) starts[i] = 10 * i;
    const size_t left = merges.apply(word, scratch, starts.data());
    ASSERT_EQ(left, size / 8 + 1);
    for (uint32_t i = 0; i < left; ++i) EXPECT_EQ(starts[i], 80 * i);
  }
}

TEST(BpeMerges, EqualTheDefinitionOnRandomMergesAndWords) {
  std::mt19937 random(1);
  const auto below = [&](size_t limit) { return static_cast<uint32_t>(random() % limit); };
  for (int round = 0; round < 2000; ++round) {
    const uint32_t letters = 1 + below(4);
    uint32_t symbols = letters;
    Merges merges;
    for (uint32_t count = below(30); count > 0; --count) {
      // Sometimes two pairs have one result, or a pair stands twice.
      const uint32_t result = below(4) == 0 ? below(symbols) : symbols++;
      merges.push_back({below(symbols), below(symbols), result, 0});
    }
    const BpeMerges engine = in_order(merges);
    BpeMerges::Scratch scratch;
    for (int i = 0; i < 4; ++i) {
      Word word(below(i == 0 ? 20 : 200));
      for (auto& symbol : word) symbol = below(letters);
      ASSERT_EQ(merged(engine, word, scratch), merged_by_definition(merges, word));
    }
  }
}

TEST(BpeMerges, LookUpAPairOnceForEverySymbolAndTwiceForEveryMerge) {
  std::mt19937 random(2);
  Merges merges;
  for (uint32_t i = 0; i < 20; ++i) merges.push_back({i, i, i + 1, 0});  // doublings
  const BpeMerges engine = in_order(merges);
  for (const size_t size : {10, 1000, 1'000'000}) {
    for (const uint32_t letters : {1, 2, 20}) {
      Word word(size);
      for (auto& symbol : word) symbol = static_cast<uint32_t>(random() % letters);
      BpeMerges::Scratch scratch;
      const size_t left = merged(engine, word, scratch).size();
      EXPECT_LE(scratch.lookups, size + 2 * (size - left));
      EXPECT_LT(left, letters == 1 ? 20 : size);
    }
  }
}

}  // namespace
}  // namespace enm::text
