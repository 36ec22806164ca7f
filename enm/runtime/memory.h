// Large aligned memory: the arena, the key-value cache. Pages that are never touched cost nothing
// where the system gives memory page by page.
#pragma once

#include <cstdint>
#include <memory>

namespace enm::runtime {

class AlignedMemory {
 public:
  AlignedMemory() = default;
  /// `size` bytes at a multiple of 64, zeroed.
  explicit AlignedMemory(uint64_t size);

  uint8_t* data() const { return aligned_; }
  uint64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(void* memory) const;
  };
  uint64_t size_ = 0;
  std::unique_ptr<void, Free> memory_;
  uint8_t* aligned_ = nullptr;
};

}  // namespace enm::runtime
