#include "enm/base/aligned_memory.h"

namespace enm {

uint64_t MemoryBudget::system_memory() { return uint64_t{1} << 32; }

}  // namespace enm
