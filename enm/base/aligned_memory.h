// Large aligned memory with a limit: weights, arenas, key-value caches.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "enm/base/bytes.h"

namespace enm {

/// How much may be taken in all. Counts in 64 bits everywhere, so that no size wraps where
/// addresses have 32. Safe to use from several threads.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t limit = system_memory()) : limit_(limit) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// kResourceExhausted if less than `bytes` are left; nothing is taken then.
  Status take(uint64_t bytes, std::string_view what);
  void give_back(uint64_t bytes) { used_ -= bytes; }

  uint64_t limit() const { return limit_; }
  uint64_t used() const { return used_; }

  /// The machine's memory; the address space's in WebAssembly.
  static uint64_t system_memory();

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_{0};
};

/// Zeroed memory at a multiple of 64 that counts against a budget, which outlives it. Large blocks
/// come straight from the system: pages that are never touched cost nothing.
class AlignedMemory {
 public:
  AlignedMemory() = default;
  AlignedMemory(AlignedMemory&& other) noexcept { swap(other); }
  AlignedMemory& operator=(AlignedMemory&& other) noexcept {
    AlignedMemory gone(std::move(other));
    swap(gone);
    return *this;
  }
  ~AlignedMemory();

  /// kResourceExhausted naming `what` if the budget or the system has not as much.
  static Result<AlignedMemory> allocate(uint64_t size, MemoryBudget& budget, std::string_view what);

  /// The same, counted by nobody: for what is let go of soon.
  static Result<AlignedMemory> allocate(uint64_t size, std::string_view what);

  uint8_t* data() const { return aligned_; }
  uint64_t size() const { return size_; }
  MutableBytes bytes() const { return {aligned_, static_cast<size_t>(size_)}; }
  /// The memory as a blob, which owns it.
  static Blob as_blob(AlignedMemory memory);

 private:
  void swap(AlignedMemory& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(memory_, other.memory_);
    std::swap(aligned_, other.aligned_);
    std::swap(budget_, other.budget_);
  }

  uint64_t size_ = 0;
  void* memory_ = nullptr;
  uint8_t* aligned_ = nullptr;
  MemoryBudget* budget_ = nullptr;
};

}  // namespace enm
