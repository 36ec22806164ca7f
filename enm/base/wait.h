// Waiting for a 32-bit word to change: a short spin, then the platform's futex.
#pragma once

#include <atomic>
#include <cstdint>

namespace enm {

/// Returns once `word` may differ from `value`. Spins first: between the layers of a model the next
/// job is microseconds away, and a sleeping thread takes tens of them to wake.
void wait_while_equal(const std::atomic<uint32_t>& word, uint32_t value);

/// Wakes every thread in wait_while_equal on `word`.
void wake_all(std::atomic<uint32_t>& word);

}  // namespace enm
