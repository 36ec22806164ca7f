#include "enm/base/aligned_memory.h"

#include <cstdlib>
#include <limits>

namespace enm {

Status MemoryBudget::take(uint64_t bytes, std::string_view what) {
  uint64_t used = used_.load();
  do {
    if (bytes > limit_ || used > limit_ - bytes) {
      return ResourceExhausted("no memory for ", bytes, " bytes of ", what, ": ", used, " of ",
                               limit_, " are taken");
    }
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return Status();
}

Result<AlignedMemory> AlignedMemory::allocate(uint64_t size, MemoryBudget& budget,
                                              std::string_view what) {
  ENM_RETURN_IF_ERROR(budget.take(size, what));
  auto out = allocate(size, what);
  if (out.ok()) {
    out->budget_ = &budget;
  } else {
    budget.give_back(size);
  }
  return out;
}

Result<AlignedMemory> AlignedMemory::allocate(uint64_t size, std::string_view what) {
  AlignedMemory out;
  if (size == 0) return out;
  constexpr uint64_t kMost = std::numeric_limits<std::size_t>::max() - 64;
  void* memory = size > kMost ? nullptr : std::calloc(static_cast<std::size_t>(size) + 64, 1);
  if (memory == nullptr) {
    return ResourceExhausted("the system has no memory for ", size, " bytes of ", what);
  }
  out.size_ = size;
  out.memory_ = memory;
  out.aligned_ = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory) + 63) / 64 * 64);
  return out;
}

Blob AlignedMemory::as_blob(AlignedMemory memory) {
  auto owner = std::make_shared<const AlignedMemory>(std::move(memory));
  return Blob(owner, owner->bytes());
}

AlignedMemory::~AlignedMemory() {
  std::free(memory_);
  if (budget_ != nullptr) budget_->give_back(size_);
}

}  // namespace enm
