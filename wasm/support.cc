// What the C++ library expects of a system and a module without one answers: every way to end is a
// trap, which the host sees as an exception of the call.
#include <__verbose_abort>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "wasm/support.h"

namespace enm::wasm {
thread_local bool is_worker = false;
}

namespace {

void* allocate(std::size_t size, std::size_t alignment) {
  // wasi-libc's malloc is not safe between threads: a kernel that allocates must fail in every test
  // and not now and then.
  if (enm::wasm::is_worker) __builtin_trap();
  void* memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(size)
          : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) __builtin_trap();
  return memory;
}

void release(void* memory) {
  if (enm::wasm::is_worker) __builtin_trap();
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size, 1); }
void* operator new[](std::size_t size) { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

extern "C" {
uintptr_t __stack_chk_guard = 0x7a11fe5d;
__attribute__((noreturn)) void __stack_chk_fail() { __builtin_trap(); }
__attribute__((noreturn)) void abort() { __builtin_trap(); }
__attribute__((noreturn)) void __abort_message(const char*, ...) { __builtin_trap(); }
}

// The library's own versions of these print first, which would bring in files and their imports.
void std::__libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }
