#include "enm/runtime/arena_layout.h"

#include <algorithm>

namespace enm::runtime {

uint64_t ArenaLayout::take(uint64_t size) {
  const auto gap = std::find_if(gaps_.begin(), gaps_.end(),
                                [&](const Gap& one) { return one.end - one.begin >= size; });
  if (gap != gaps_.end()) {
    const uint64_t offset = gap->begin;
    gap->begin += size;
    if (gap->begin == gap->end) gaps_.erase(gap);
    return offset;
  }
  uint64_t offset = total_;
  if (!gaps_.empty() && gaps_.back().end == total_) {
    offset = gaps_.back().begin;
    gaps_.pop_back();
  }
  total_ = offset + size;
  return offset;
}

void ArenaLayout::give(uint64_t offset, uint64_t size) {
  auto after = std::partition_point(gaps_.begin(), gaps_.end(),
                                    [&](const Gap& one) { return one.begin < offset; });
  Gap freed{offset, offset + size};
  if (after != gaps_.end() && after->begin == freed.end) {
    freed.end = after->end;
    after = gaps_.erase(after);
  }
  if (after != gaps_.begin() && (after - 1)->end == freed.begin) {
    (after - 1)->end = freed.end;
  } else {
    gaps_.insert(after, freed);
  }
}

}  // namespace enm::runtime
