// What a template may use. Whoever wrote it, rendering ends within these.
#pragma once

#include <cstddef>
#include <cstdint>

namespace enm::text::jinja {

struct Limits {
  size_t source_bytes = size_t{1} << 20;
  /// A node that is evaluated, an item that is copied, 16 bytes that are read.
  uint64_t steps = 20'000'000;
  size_t memory_bytes = size_t{64} << 20;
  /// Of expressions, blocks, calls and values inside each other.
  int depth = 200;
};

}  // namespace enm::text::jinja
