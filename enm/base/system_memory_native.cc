#include <unistd.h>

#include "enm/base/aligned_memory.h"

namespace enm {

uint64_t MemoryBudget::system_memory() {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  constexpr uint64_t kUnknown = uint64_t{1} << 34;
  return pages > 0 && page > 0 ? static_cast<uint64_t>(pages) * static_cast<uint64_t>(page)
                               : kUnknown;
}

}  // namespace enm
