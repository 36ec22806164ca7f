// memory.atomic.wait32 is allowed in workers and in Node, not on a page's main thread: the core
// always runs in a worker there.
#include "enm/base/wait.h"

namespace enm {
namespace {
constexpr int kSpins = 2000;
constexpr int64_t kForever = -1;
}  // namespace

void wait_while_equal(const std::atomic<uint32_t>& word, uint32_t value) {
  for (int i = 0; i < kSpins; ++i) {
    if (word.load(std::memory_order_acquire) != value) return;
  }
  auto* address = const_cast<int*>(reinterpret_cast<const int*>(&word));
  __builtin_wasm_memory_atomic_wait32(address, static_cast<int>(value), kForever);
}

void wake_all(std::atomic<uint32_t>& word) {
  __builtin_wasm_memory_atomic_notify(reinterpret_cast<int*>(&word), 0xffffffffu);
}

}  // namespace enm
