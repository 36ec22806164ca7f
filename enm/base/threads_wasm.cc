#include "enm/base/threads.h"
#include "enm/base/wait.h"

namespace enm {

struct ThreadPool::Started {};

ThreadPool::ThreadPool(int threads) : size_(threads < 1 ? 1 : threads) {}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_release);
  generation_.fetch_add(1, std::memory_order_release);
  wake_all(generation_);
}

}  // namespace enm
