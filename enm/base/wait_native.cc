#include "enm/base/wait.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace enm {
namespace {
constexpr int kSpins = 4000;  // about 50 us

inline void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}
}  // namespace

void wait_while_equal(const std::atomic<uint32_t>& word, uint32_t value) {
  for (int i = 0; i < kSpins; ++i) {
    if (word.load(std::memory_order_acquire) != value) return;
    relax();
  }
  word.wait(value, std::memory_order_acquire);
}

void wake_all(std::atomic<uint32_t>& word) { word.notify_all(); }

}  // namespace enm
