#include "enm/text/bpe_merge.h"

#include <algorithm>
#include <functional>

#include "enm/base/order.h"

namespace enm::text {

BpeMerges::BpeMerges(size_t symbols, std::span<const Merge> merges) : rows_(symbols + 1) {
  const auto order =
      sorted_order(static_cast<uint32_t>(merges.size()), [&](uint32_t a, uint32_t b) {
        return merges[a].left != merges[b].left ? merges[a].left < merges[b].left
                                                : merges[a].right < merges[b].right;
      });
  pairs_.reserve(merges.size());
  for (uint32_t rank : order) pairs_.push_back(uint64_t{merges[rank].right} << 32 | rank);
  results_.reserve(merges.size());
  for (const Merge& merge : merges) {
    results_.push_back(merge.result);
    ++rows_[merge.left + 1];
  }
  for (size_t i = 0; i < symbols; ++i) rows_[i + 1] += rows_[i];
}

uint32_t BpeMerges::rank(Symbol left, Symbol right) const {
  // The last entry of the pair, if there is one, is the last that is below the next symbol's.
  const uint64_t* const begin = pairs_.data() + rows_[left];
  const uint64_t* const end = pairs_.data() + rows_[left + 1];
  const uint64_t* behind = std::lower_bound(begin, end, (uint64_t{right} + 1) << 32);
  if (behind == begin || behind[-1] >> 32 != right) return kNoRank;
  return static_cast<uint32_t>(behind[-1]);
}

size_t BpeMerges::apply(std::span<Symbol> word, Scratch& scratch) const {
  return word.size() <= kShortWord ? apply_by_scan(word, scratch) : apply_by_heap(word, scratch);
}

size_t BpeMerges::apply_by_scan(std::span<Symbol> word, Scratch& scratch) const {
  uint32_t ranks[kShortWord];  // of the pair that begins at each symbol
  size_t size = word.size();
  const auto look_up = [&](size_t at) {
    ++scratch.lookups;
    ranks[at] = at + 1 < size ? rank(word[at], word[at + 1]) : kNoRank;
  };
  for (size_t i = 0; i < size; ++i) look_up(i);
  while (size > 1) {
    uint32_t* const best = std::min_element(ranks, ranks + size);
    if (*best == kNoRank) break;
    const auto at = static_cast<size_t>(best - ranks);
    word[at] = results_[*best];
    std::copy(&word[at] + 2, word.data() + size, &word[at] + 1);
    std::copy(best + 2, ranks + size, best + 1);
    --size;
    look_up(at);
    if (at > 0) look_up(at - 1);
  }
  return size;
}

// A heap of (rank, place), over symbols that are linked so that merging moves nothing. An entry
// that does not agree with the rank at its place is out of date.
size_t BpeMerges::apply_by_heap(std::span<Symbol> word, Scratch& scratch) const {
  const auto end = static_cast<uint32_t>(word.size());
  auto& links = scratch.links;
  auto& heap = scratch.heap;
  const auto look_up = [&](uint32_t at) {
    ++scratch.lookups;
    const uint32_t behind = links[at].behind;
    links[at].rank = behind == end ? kNoRank : rank(word[at], word[behind]);
    if (links[at].rank == kNoRank) return false;
    heap.push_back(uint64_t{links[at].rank} << 32 | at);
    return true;
  };
  links.resize(end);
  heap.clear();
  for (uint32_t i = 0; i < end; ++i) {
    links[i] = {i - 1, i + 1, kNoRank};
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
    word[at] = results_[best];
    links[gone].rank = kNoRank;
    links[at].behind = behind;
    if (behind != end) links[behind].before = at;
    if (look_up(at)) std::push_heap(heap.begin(), heap.end(), std::greater());
    if (at > 0 && look_up(links[at].before)) {
      std::push_heap(heap.begin(), heap.end(), std::greater());
    }
  }
  size_t size = 0;
  for (uint32_t at = 0; at != end; at = links[at].behind) word[size++] = word[at];
  return size;
}

}  // namespace enm::text
