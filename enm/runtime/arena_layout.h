// Places for values that live for some steps, in one stretch of memory: first fit in the order of
// making. Models are chains, so this comes within a few per cent of the best. Private to this room.
#pragma once

#include <cstdint>
#include <vector>

namespace enm::runtime {

class ArenaLayout {
 public:
  /// The offset of the lowest free `size` bytes.
  uint64_t take(uint64_t size);
  /// Frees what take(size) gave.
  void give(uint64_t offset, uint64_t size);
  /// Bytes that were ever taken at once, gaps included.
  uint64_t total() const { return total_; }

 private:
  struct Gap {
    uint64_t begin, end;
  };
  // Below total_, rising, no two side by side. Few, however many values live.
  std::vector<Gap> gaps_;
  uint64_t total_ = 0;
};

}  // namespace enm::runtime
