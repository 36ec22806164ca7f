// What the host holds by number. A number is given out once in the life of an instance, whatever it
// stands for, so that a stale one or one of another kind finds nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace enm::wasm {

inline uint32_t last_handle = 0;

/// A few things of a kind.
template <typename T>
class Handles {
 public:
  uint32_t add(T value) {
    entries_.emplace_back(++last_handle, std::move(value));
    return last_handle;
  }

  /// Null if there is none; valid until the next add() or remove().
  T* find(uint32_t handle) {
    for (auto& [key, value] : entries_) {
      if (key == handle) return &value;
    }
    return nullptr;
  }

  template <typename Predicate>
  void remove_if(const Predicate& predicate) {
    std::erase_if(entries_, [&](auto& entry) { return predicate(entry.first, entry.second); });
  }

  void remove(uint32_t handle) {
    remove_if([&](uint32_t key, const T&) { return key == handle; });
  }

 private:
  std::vector<std::pair<uint32_t, T>> entries_;
};

}  // namespace enm::wasm
