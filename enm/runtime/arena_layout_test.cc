#include "enm/runtime/arena_layout.h"

#include <gtest/gtest.h>

#include <random>

namespace enm::runtime {
namespace {

TEST(ArenaLayout, TakesTheLowestGapThatFits) {
  ArenaLayout layout;
  EXPECT_EQ(layout.take(64), 0u);
  EXPECT_EQ(layout.take(128), 64u);
  EXPECT_EQ(layout.take(64), 192u);
  layout.give(64, 128);
  EXPECT_EQ(layout.take(192), 256u);
  EXPECT_EQ(layout.take(64), 64u);
  EXPECT_EQ(layout.take(64), 128u);
  EXPECT_EQ(layout.total(), 448u);
}

TEST(ArenaLayout, GrowsTheGapAtTheEnd) {
  ArenaLayout layout;
  layout.take(64);
  layout.take(64);
  layout.give(64, 64);
  EXPECT_EQ(layout.take(256), 64u);
  EXPECT_EQ(layout.total(), 320u);
}

TEST(ArenaLayout, NeverGivesTheSameByteTwice) {
  std::mt19937 random(7);
  ArenaLayout layout;
  std::vector<bool> taken;
  std::vector<std::pair<uint64_t, uint64_t>> live;
  for (int round = 0; round < 5000; ++round) {
    if (live.empty() || random() % 2 == 0) {
      const uint64_t size = 1 + random() % 16;
      const uint64_t offset = layout.take(size);
      taken.resize(std::max<size_t>(taken.size(), offset + size), false);
      for (uint64_t i = offset; i < offset + size; ++i) {
        ASSERT_FALSE(taken[i]);
        taken[i] = true;
      }
      live.emplace_back(offset, size);
    } else {
      std::swap(live[random() % live.size()], live.back());
      const auto [offset, size] = live.back();
      live.pop_back();
      layout.give(offset, size);
      for (uint64_t i = offset; i < offset + size; ++i) taken[i] = false;
    }
  }
  EXPECT_EQ(layout.total(), taken.size());
}

}  // namespace
}  // namespace enm::runtime
