#include "enm/text/bpe_merge.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "enm/text/vocabulary.h"

namespace enm::text {

Result<BpeMerges> BpeMerges::make(std::span<const Merge> merges) {
  BpeMerges out;
  out.slots_.assign(std::bit_ceil(2 * merges.size() + 1), Merge{0, 0, 0, kNoRank});
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < merges.size(); ++i) {
    const Merge& merge = merges[i];
    if (i + kAhead < merges.size()) {
      const Merge& later = merges[i + kAhead];
      __builtin_prefetch(&out.slots_[out.slot_of(later.left, later.right)]);
    }
    size_t slot = out.slot_of(merge.left, merge.right);
    for (size_t probes = 0;; ++probes) {
      const Merge& there = out.slots_[slot];
      if (there.rank == kNoRank || (there.left == merge.left && there.right == merge.right)) break;
      if (probes == kMostProbes) return Unsupported("the merges are chosen to be found slowly");
      slot = (slot + 1) & (out.slots_.size() - 1);
    }
    out.slots_[slot] = merge;
  }
  return out;
}

size_t BpeMerges::slot_of(Symbol left, Symbol right) const {
  const uint64_t hash = (uint64_t{left} << 32 | right) * 0x9e3779b97f4a7c15u;
  return (hash ^ hash >> 29) >> 16 & (slots_.size() - 1);
}

const BpeMerges::Merge& BpeMerges::find(Symbol left, Symbol right) const {
  size_t slot = slot_of(left, right);
  for (;; slot = (slot + 1) & (slots_.size() - 1)) {
    const Merge& there = slots_[slot];
    if (there.rank == kNoRank || (there.left == left && there.right == right)) return there;
  }
}

size_t BpeMerges::apply(std::span<Symbol> word, Scratch& scratch, uint32_t* starts) const {
  return word.size() <= kShortWord ? apply_by_scan(word, scratch, starts)
                                   : apply_by_heap(word, scratch, starts);
}

size_t BpeMerges::apply_by_scan(std::span<Symbol> word, Scratch& scratch, uint32_t* starts) const {
  uint32_t ranks[kShortWord];  // of the pair that begins at each symbol
  Symbol results[kShortWord];
  size_t size = word.size();
  const auto look_up = [&](size_t at) {
    ++scratch.lookups;
    ranks[at] = kNoRank;
    if (at + 1 >= size) return;
    const Merge& merge = find(word[at], word[at + 1]);
    ranks[at] = merge.rank;
    results[at] = merge.result;
  };
  for (size_t i = 0; i < size; ++i) look_up(i);
  while (size > 1) {
    uint32_t* const best = std::min_element(ranks, ranks + size);
    if (*best == kNoRank) break;
    const auto at = static_cast<size_t>(best - ranks);
    word[at] = results[at];
    --size;
    for (size_t i = at + 1; i < size; ++i) {
      word[i] = word[i + 1];
      ranks[i] = ranks[i + 1];
      results[i] = results[i + 1];
    }
    if (starts != nullptr) std::copy(starts + at + 2, starts + size + 1, starts + at + 1);
    look_up(at);
    if (at > 0) look_up(at - 1);
  }
  return size;
}

// A heap of (rank, place), over symbols that are linked so that merging moves nothing. An entry
// that does not agree with the rank at its place is out of date.
size_t BpeMerges::apply_by_heap(std::span<Symbol> word, Scratch& scratch, uint32_t* starts) const {
  const auto end = static_cast<uint32_t>(word.size());
  auto& links = scratch.links;
  auto& heap = scratch.heap;
  const auto look_up = [&](uint32_t at) {
    ++scratch.lookups;
    Scratch::Link& link = links[at];
    link.rank = kNoRank;
    if (link.behind == end) return false;
    const Merge& merge = find(word[at], word[link.behind]);
    link.rank = merge.rank;
    link.result = merge.result;
    if (link.rank == kNoRank) return false;
    heap.push_back(uint64_t{link.rank} << 32 | at);
    return true;
  };
  links.resize(end);
  heap.clear();
  for (uint32_t i = 0; i < end; ++i) {
    links[i] = {i - 1, i + 1, kNoRank, 0};
    look_up(i);
  }
  std::make_heap(heap.begin(), heap.end(), std::greater());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater());
    const auto best = static_cast<uint32_t>(heap.back() >> 32);
    const auto at = static_cast<uint32_t>(heap.back());
    heap.pop_back();
    if (links[at].rank != best) continue;
    const uint32_t gone = links[at].behind;
    const uint32_t behind = links[gone].behind;
    word[at] = links[at].result;
    links[gone].rank = kNoRank;
    links[at].behind = behind;
    if (behind != end) links[behind].before = at;
    if (look_up(at)) std::push_heap(heap.begin(), heap.end(), std::greater());
    if (at > 0 && look_up(links[at].before)) {
      std::push_heap(heap.begin(), heap.end(), std::greater());
    }
  }
  size_t size = 0;
  for (uint32_t at = 0; at != end; at = links[at].behind) {
    if (starts != nullptr) starts[size] = starts[at];
    word[size++] = word[at];
  }
  return size;
}

}  // namespace enm::text
