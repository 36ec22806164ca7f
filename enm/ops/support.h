// Small things that many operators share.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "enm/ops/op.h"

namespace enm::ops {

/// A prepared operator as the base class's pointer inside a Result.
template <typename T, typename... Args>
Result<std::unique_ptr<PreparedOp>> make_prepared(Args&&... args) {
  return std::unique_ptr<PreparedOp>(std::make_unique<T>(std::forward<Args>(args)...));
}

/// Rows of `width` elements that one thread takes at a time: about 16k elements, so that small
/// tensors stay on one thread.
inline int64_t row_grain(int64_t width) {
  constexpr int64_t kElements = 16384;
  return width >= kElements ? 1 : kElements / (width > 0 ? width : 1);
}

/// Calls body(T{}) with the C++ type of an arithmetic element type; kUnsupported for others.
template <typename Body>
Status with_numeric(graph::DType dtype, std::string_view what, Body body) {
  switch (dtype) {
    case graph::DType::kFloat32:
      return body(float{});
    case graph::DType::kFloat64:
      return body(double{});
    case graph::DType::kInt64:
      return body(int64_t{});
    case graph::DType::kInt32:
      return body(int32_t{});
    case graph::DType::kUint8:
      return body(uint8_t{});
    case graph::DType::kInt8:
      return body(int8_t{});
    default:
      return Unsupported(what, " has type ", graph::dtype_name(dtype), ", which is not supported");
  }
}

/// Numpy's broadcasting of two shapes; kInvalidArgument where they do not fit.
Status broadcast_dims(const TensorView& a, const TensorView& b, TensorView& out);

/// 64-byte aligned memory that lives as long as the prepared operator.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t size) : size_(size), memory_(new uint8_t[size + 64]) {}
  uint8_t* data() const {
    return reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(memory_.get()) + 63) / 64 * 64);
  }
  size_t size() const { return size_; }

 private:
  size_t size_ = 0;
  std::unique_ptr<uint8_t[]> memory_;
};

}  // namespace enm::ops
