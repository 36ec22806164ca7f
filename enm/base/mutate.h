// Damaged copies of good files, for the tests of parsers: flips, cuts and splices, reproducible.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "enm/base/bytes.h"

namespace enm {

/// How many cases a test makes from seeds: ENM_FUZZ_CASES, or ten thousand.
inline int seeded_cases() {
  const char* asked = std::getenv("ENM_FUZZ_CASES");
  return asked != nullptr ? std::atoi(asked) : 10'000;
}

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : state_(seed * 2862933555777941757u + 3037000493u) {}

  std::vector<uint8_t> mutate(Bytes good) {
    std::vector<uint8_t> out(good.begin(), good.end());
    const uint32_t edits = 1 + next() % 4;
    for (uint32_t i = 0; i < edits && !out.empty(); ++i) {
      const size_t at = next() % out.size();
      switch (next() % 5) {
        case 0:
          out[at] ^= static_cast<uint8_t>(1u << (next() % 8));
          break;
        case 1:
          out[at] = static_cast<uint8_t>(next());
          break;
        case 2:
          out.resize(at);
          break;
        case 3:
          out.insert(out.begin() + static_cast<std::ptrdiff_t>(at), static_cast<uint8_t>(next()));
          break;
        default: {  // a stretch of the file over another
          const size_t from = next() % out.size();
          const size_t size = std::min<size_t>({next() % 16, out.size() - at, out.size() - from});
          std::memmove(out.data() + at, out.data() + from, size);
        }
      }
    }
    return out;
  }

  uint32_t below(size_t count) { return static_cast<uint32_t>(next() % count); }

 private:
  uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33);
  }
  uint64_t state_;
};

}  // namespace enm
