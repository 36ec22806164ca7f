// A lock for what threads of the caller share. In WebAssembly one instance has one caller: the
// pool's workers never come here.
#pragma once

#if !defined(__wasm__)
#include <mutex>
#endif

namespace enm {

#if defined(__wasm__)
struct Mutex {};
struct MutexLock {
  explicit MutexLock(Mutex&) {}
};
#else
using Mutex = std::mutex;
using MutexLock = std::lock_guard<std::mutex>;
#endif

}  // namespace enm
