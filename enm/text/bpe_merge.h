// Merging the symbols of a word by rank: the engine of byte-pair encoding, whatever its symbols
// stand for. Private to this room.
// Source: Sennrich et al., arXiv 1508.07909
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "enm/base/status.h"

namespace enm::text {

class BpeMerges {
 public:
  using Symbol = uint32_t;
  struct Merge {
    Symbol left;
    Symbol right;
    Symbol result;
    uint32_t rank;
  };
  /// What apply() works with, to be kept from word to word. Not for two threads at once.
  struct Scratch {
    struct Link {
      uint32_t before;
      uint32_t behind;
      uint32_t rank;  // of the pair that begins here
      Symbol result;
    };
    std::vector<Link> links;
    std::vector<uint64_t> heap;
    uint64_t lookups = 0;  // of pairs, so far: what the work is counted by
  };

  BpeMerges() = default;
  /// Where a pair stands twice, the last counts. Ranks are below 2^32 - 1.
  static Result<BpeMerges> make(std::span<const Merge> merges);

  /// Replaces the pair of the lowest rank, of equal ones the leftmost, by what it merges to, until
  /// no pair merges. Works in place and returns how many symbols are left. O(n log n). `starts`, if
  /// not null, holds a number for each symbol; a merged one keeps that of its left part.
  size_t apply(std::span<Symbol> word, Scratch& scratch, uint32_t* starts = nullptr) const;

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  // Of a word this long a scan for the best pair is faster than a heap.
  static constexpr size_t kShortWord = 16;

  size_t slot_of(Symbol left, Symbol right) const;
  const Merge& find(Symbol left, Symbol right) const;
  size_t apply_by_scan(std::span<Symbol> word, Scratch& scratch, uint32_t* starts) const;
  size_t apply_by_heap(std::span<Symbol> word, Scratch& scratch, uint32_t* starts) const;

  // A hash table, at most half full; a slot of kNoRank is free.
  std::vector<Merge> slots_ = std::vector<Merge>(1, Merge{0, 0, 0, kNoRank});
};

}  // namespace enm::text
