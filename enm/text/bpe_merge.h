// Merging the symbols of a word by rank: the engine of byte-pair encoding, whatever its symbols
// stand for. Private to this room.
// Source: Sennrich et al., arXiv 1508.07909
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace enm::text {

class BpeMerges {
 public:
  using Symbol = uint32_t;
  struct Merge {
    Symbol left;
    Symbol right;
    Symbol result;
  };
  /// What apply() works with, to be kept from word to word. Not for two threads at once.
  struct Scratch {
    struct Link {
      uint32_t before;
      uint32_t behind;
      uint32_t rank;  // of the pair that begins here
    };
    std::vector<Link> links;
    std::vector<uint64_t> heap;
    uint64_t lookups = 0;  // of pairs, so far: what the work is counted by
  };

  BpeMerges() = default;
  /// `merges` stand in the order of their ranks; where a pair stands twice, the last counts.
  /// Symbols are below `symbols`.
  BpeMerges(size_t symbols, std::span<const Merge> merges);

  /// Replaces the pair of the lowest rank, of equal ones the leftmost, by what it merges to, until
  /// no pair merges. Works in place and returns how many symbols are left. O(n log n).
  size_t apply(std::span<Symbol> word, Scratch& scratch) const;

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  // Of a word this long a scan for the best pair is faster than a heap.
  static constexpr size_t kShortWord = 16;

  uint32_t rank(Symbol left, Symbol right) const;
  size_t apply_by_scan(std::span<Symbol> word, Scratch& scratch) const;
  size_t apply_by_heap(std::span<Symbol> word, Scratch& scratch) const;

  // A sorted row for each left symbol, the right symbol above and the rank below. A search in a row
  // takes few steps whatever the file, where a hash table can be made slow by a choice of ids.
  std::vector<uint64_t> pairs_;
  std::vector<uint32_t> rows_;   // where the row of each symbol begins; one more at the end
  std::vector<Symbol> results_;  // by rank
};

}  // namespace enm::text
