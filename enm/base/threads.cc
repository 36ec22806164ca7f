#include "enm/base/threads.h"

#include <algorithm>

#include "enm/base/wait.h"

namespace enm {

void ThreadPool::parallel_for(int64_t count, int64_t grain, Body body) {
  grain = std::max<int64_t>(grain, 1);
  if (count <= 0) return;
  if (size_ == 1 || count <= grain) {
    body(0, count, 0);
    return;
  }
  body_ = &body;
  count_ = count;
  grain_ = grain;
  next_.store(0, std::memory_order_relaxed);
  running_.store(static_cast<uint32_t>(size_ - 1), std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  wake_all(generation_);
  take_ranges(0);
  // Every worker checks out, even one that found nothing left, so that the job may be overwritten.
  for (uint32_t left; (left = running_.load(std::memory_order_acquire)) != 0;) {
    wait_while_equal(running_, left);
  }
}

void ThreadPool::take_ranges(int worker) {
  for (;;) {
    const int64_t begin = next_.fetch_add(grain_, std::memory_order_relaxed);
    if (begin >= count_) return;
    (*body_)(begin, std::min(begin + grain_, count_), worker);
  }
}

void ThreadPool::work_until_stopped(int worker) {
  uint32_t seen = 0;
  for (;;) {
    wait_while_equal(generation_, seen);
    const uint32_t now = generation_.load(std::memory_order_acquire);
    if (now == seen) continue;
    seen = now;
    if (stopping_.load(std::memory_order_acquire)) return;
    take_ranges(worker);
    if (running_.fetch_sub(1, std::memory_order_release) == 1) wake_all(running_);
  }
}

}  // namespace enm
