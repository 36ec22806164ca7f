// parallel_for over a fixed set of threads: the only way the core uses more than one core.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "enm/base/function_ref.h"

namespace enm {

/// `threads` workers in all, the caller being number 0. Natively the others are started here; in
/// WebAssembly the host starts one module instance per worker and each enters work_until_stopped.
///
/// parallel_for is called by one thread at a time and does not nest. Bodies must not allocate:
/// WebAssembly's malloc is not safe between threads.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const { return size_; }

  /// Calls body(begin, end, worker) on disjoint ranges that cover [0, count), each `grain` long but
  /// for the last. Workers take ranges as they become free. Returns when all are done.
  using Body = FunctionRef<void(int64_t begin, int64_t end, int worker)>;
  void parallel_for(int64_t count, int64_t grain, Body body);

  /// Body of worker `worker` in [1, size): serves parallel_for calls until the pool is destroyed.
  void work_until_stopped(int worker);

 private:
  void take_ranges(int worker);

  const int size_;
  // The job: written by the caller before `generation_` grows, read by workers after.
  const Body* body_ = nullptr;
  int64_t count_ = 0;
  int64_t grain_ = 1;
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint32_t> generation_{0};
  alignas(64) std::atomic<uint32_t> running_{0};
  std::atomic<bool> stopping_{false};

  struct Started;  // the native threads; absent in WebAssembly
  std::unique_ptr<Started> started_;
};

}  // namespace enm
