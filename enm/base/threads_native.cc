#include <thread>

#include "enm/base/threads.h"
#include "enm/base/wait.h"

namespace enm {

struct ThreadPool::Started {
  std::vector<std::thread> threads;
};

ThreadPool::ThreadPool(int threads)
    : size_(threads < 1 ? 1 : threads), started_(std::make_unique<Started>()) {
  for (int worker = 1; worker < size_; ++worker) {
    started_->threads.emplace_back([this, worker] { work_until_stopped(worker); });
  }
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  wake_all(generation_);
  for (std::thread& thread : started_->threads) thread.join();
}

}  // namespace enm
