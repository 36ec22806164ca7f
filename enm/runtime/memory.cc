#include "enm/runtime/memory.h"

#include <cstdlib>

namespace enm::runtime {

// calloc takes large blocks straight from the system: zeroed, and resident only once touched.
AlignedMemory::AlignedMemory(uint64_t size)
    : size_(size), memory_(std::calloc(static_cast<size_t>(size) + 64, 1)) {
  if (memory_ == nullptr) size_ = 0;
  aligned_ =
      reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory_.get()) + 63) / 64 * 64);
}

void AlignedMemory::Free::operator()(void* memory) const { std::free(memory); }

}  // namespace enm::runtime
