// Checks of kernels against their scalar references, as plain functions: the same sweep runs under
// GoogleTest natively (kernels_test.cc) and inside a WebAssembly module (tests/wasm). Every family
// has its own in <family>/check.cc.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "enm/base/cpu.h"
#include "enm/base/strings.h"
#include "enm/base/threads.h"

namespace enm::kernels {

/// What a check found: the first failure, if any, and the largest error it saw.
class CheckReport {
 public:
  /// `got` must be within `tolerance` of `expected`; `where` names the case and the element. NaN
  /// matches NaN, an infinity matches itself.
  void near(float got, float expected, float tolerance, std::string_view where, int64_t index) {
    ++compared_;
    if (std::isnan(expected) || std::isinf(expected)) {
      if (!(got == expected || (std::isnan(expected) && std::isnan(got)))) {
        fail(where, index, got, expected);
      }
      return;
    }
    const float error = std::fabs(got - expected);
    if (error > worst_) worst_ = error;
    if (!(error <= tolerance)) fail(where, index, got, expected);
  }

  void equal(int64_t got, int64_t expected, std::string_view where, int64_t index) {
    ++compared_;
    if (got != expected) {
      fail(where, index, static_cast<double>(got), static_cast<double>(expected));
    }
  }

  bool ok() const { return failure_.empty() && compared_ > 0; }
  /// Empty when all comparisons held; a check that compared nothing has failed.
  std::string failure() const { return compared_ > 0 ? failure_ : "nothing was compared"; }
  float worst_error() const { return worst_; }
  int64_t compared() const { return compared_; }

 private:
  void fail(std::string_view where, int64_t index, double got, double expected);

  std::string failure_;
  float worst_ = 0;
  int64_t compared_ = 0;
};

/// A named sweep over the sizes, offsets and formats of one kernel, spread over the pool's threads.
/// Deterministic. Static objects, which list themselves.
class Check {
 public:
  using Run = void (*)(Isa isa, ThreadPool& pool, CheckReport& report);
  Check(const char* check_name, Run check_run);  // "<family>" or "<family>/<what>"
  Check(const Check&) = delete;
  Check& operator=(const Check&) = delete;

  const char* const name;
  const Run run;

 private:
  friend std::span<const Check* const> all_checks();
  const Check* const next_;
};

/// The checks of every family, sorted by name.
std::span<const Check* const> all_checks();

/// Reproducible test data: a 64-bit linear congruential generator.
class CheckRandom {
 public:
  explicit CheckRandom(uint64_t seed) : state_(seed * 2862933555777941757u + 3037000493u) {}
  uint32_t bits() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 32);
  }
  /// Uniform in [low, high).
  float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(bits() >> 8) * 0x1p-24f;
  }
  /// Uniform in [low, high].
  int integer(int low, int high) {
    return low + static_cast<int>(bits() % static_cast<uint32_t>(high - low + 1));
  }

 private:
  uint64_t state_;
};

/// Elements that start `offset` elements past a 64-byte boundary, with a guard band on both sides;
/// guard_intact() tells whether a kernel wrote outside its output.
template <typename T>
class Guarded {
 public:
  explicit Guarded(int64_t count, int64_t offset = 0)
      : count_(count),
        bytes_((static_cast<std::size_t>(count + offset) + 2 * kBand) * sizeof(T) + 64, kFill) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data() + kBand * sizeof(T));
    begin_ = (address + 63) / 64 * 64 - reinterpret_cast<std::uintptr_t>(bytes_.data()) +
             static_cast<std::size_t>(offset) * sizeof(T);
  }
  T* data() { return reinterpret_cast<T*>(bytes_.data() + begin_); }
  const T* data() const { return reinterpret_cast<const T*>(bytes_.data() + begin_); }
  int64_t size() const { return count_; }
  std::span<T> all() { return {data(), static_cast<std::size_t>(count_)}; }
  T& operator[](int64_t i) { return data()[i]; }
  const T& operator[](int64_t i) const { return data()[i]; }
  bool guard_intact() const {
    const std::size_t end = begin_ + static_cast<std::size_t>(count_) * sizeof(T);
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      if ((i < begin_ || i >= end) && bytes_[i] != kFill) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kBand = 64;
  static constexpr unsigned char kFill = 0xA5;
  int64_t count_;
  std::vector<unsigned char> bytes_;
  std::size_t begin_;
};

void fill(CheckRandom& random, std::span<float> values, float low, float high);

/// `got` is near `expected`, and nothing was written outside of it.
void compare(CheckReport& report, const Guarded<float>& got, const Guarded<float>& expected,
             float tolerance, std::string_view where);

/// What kernels promise that give the same whatever the number of threads.
void same_bits(CheckReport& report, const Guarded<float>& got, const Guarded<float>& expected,
               std::string_view where);

}  // namespace enm::kernels
