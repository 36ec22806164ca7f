// Finds places of a list by what stands there: open addressing over (hash, place). The keys are
// numbers that an automaton counted itself, never bytes of a text.
#pragma once

#include <cstdint>
#include <vector>

namespace enm::text::grammar {

/// The finalizer of MurmurHash3.
inline uint64_t mixed(uint64_t key) {
  key = (key ^ (key >> 33)) * 0xff51afd7ed558ccdu;
  key = (key ^ (key >> 33)) * 0xc4ceb9fe1a85ec53u;
  return key ^ (key >> 33);
}

class HashIndex {
 public:
  HashIndex() { clear(); }

  /// The place of that hash for which `is(place)` holds; if there is none, `fresh`, which is then
  /// one of the list's.
  template <typename Is>
  uint32_t find_or_add(uint64_t hash, uint32_t fresh, const Is& is) {
    const auto key = static_cast<uint32_t>(hash);
    size_t at = key & (slots_.size() - 1);
    for (; slots_[at].place != kFree; at = (at + 1) & (slots_.size() - 1)) {
      if (slots_[at].hash == key && is(slots_[at].place)) return slots_[at].place;
    }
    slots_[at] = {key, fresh};
    if (++used_ * 2 > slots_.size()) grow();
    return fresh;
  }

  void clear() {
    used_ = 0;
    slots_.assign(kFewest, {});
  }

 private:
  static constexpr uint32_t kFree = UINT32_MAX;
  static constexpr size_t kFewest = 32;  // a power of two, as all sizes
  struct Slot {
    uint32_t hash = 0;
    uint32_t place = kFree;
  };

  void grow();

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

}  // namespace enm::text::grammar
