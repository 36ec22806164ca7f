// A value at run time.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "enm/graph/tensor.h"

namespace enm::ops {

inline constexpr int kMaxRank = 8;
inline constexpr int kNoCache = -1;

/// Fixed size, so that shapes cost no allocation. `data` may be null while only shapes are asked
/// for. An operand that is not given has dtype kUndefined.
struct TensorView {
  graph::DType dtype = graph::DType::kUndefined;
  int rank = 0;
  std::array<int64_t, kMaxRank> dims{};
  void* data = nullptr;
  /// The layer of the run's key-value cache that this operand is, which then has no data; or
  /// kNoCache. Only operands that their row declares as caches may be one.
  int cache_layer = kNoCache;

  bool given() const { return dtype != graph::DType::kUndefined; }
  bool is_cache() const { return cache_layer != kNoCache; }
  int64_t count() const;
  uint64_t bytes() const { return graph::byte_size(dtype, count()); }
  int64_t dim(int axis) const { return dims[static_cast<size_t>(axis)]; }
  int64_t last_dim() const { return rank == 0 ? 1 : dim(rank - 1); }
  std::span<const int64_t> shape() const { return {dims.data(), static_cast<size_t>(rank)}; }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
  void set_dims(std::span<const int64_t> new_dims);
  bool same_dims(const TensorView& other) const;
};

/// "f32[1, 5, 256]"
std::string view_str(const TensorView& view);

using Inputs = std::span<const TensorView>;
using Outputs = std::span<TensorView>;

/// The operand, or null where it is not given or beyond the end.
inline const TensorView* operand(Inputs inputs, size_t index) {
  return index < inputs.size() && inputs[index].given() ? &inputs[index] : nullptr;
}

}  // namespace enm::ops
