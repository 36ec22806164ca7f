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
// The product of 128-bit numbers, which is what the compiler makes of a multiplication that is
// checked for overflow. The library's own returns it through memory (cmake/wasm32.cmake).
__int128 __multi3(__int128 a, __int128 b) {
  using Wide = unsigned __int128;
  const auto low = [](__int128 value) { return static_cast<uint64_t>(value); };
  const auto high = [](__int128 value) {
    return static_cast<uint64_t>(static_cast<Wide>(value) >> 64);
  };
  const uint64_t a0 = low(a) & UINT32_MAX, a1 = low(a) >> 32;
  const uint64_t b0 = low(b) & UINT32_MAX, b1 = low(b) >> 32;
  const uint64_t first = a0 * b0;
  const uint64_t second = a1 * b0 + (first >> 32);
  const uint64_t third = a0 * b1 + (second & UINT32_MAX);
  const uint64_t upper =
      a1 * b1 + (second >> 32) + (third >> 32) + high(a) * low(b) + low(a) * high(b);
  return static_cast<__int128>(static_cast<Wide>(upper) << 64 |
                               (third << 32 | (first & UINT32_MAX)));
}

uintptr_t __stack_chk_guard = 0x7a11fe5d;
__attribute__((noreturn)) void __stack_chk_fail() { __builtin_trap(); }
__attribute__((noreturn)) void abort() { __builtin_trap(); }
__attribute__((noreturn)) void __abort_message(const char*, ...) { __builtin_trap(); }
}

// The library's own versions of these print first, which would bring in files and their imports.
void std::__libcpp_verbose_abort(const char*, ...) noexcept { __builtin_trap(); }
