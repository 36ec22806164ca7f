// A constant: type, dimensions, and a handle to bytes that may be inline, mapped, or not made yet.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "enm/base/bytes.h"
#include "enm/graph/type.h"

namespace enm::graph {

/// Where a tensor's bytes come from. Copying a handle copies no data. A produced tensor is computed
/// each time it is loaded and kept by nobody, which is how a quantizer streams a model from
/// checkpoint to artifact while holding a few tensors.
class TensorData {
 public:
  /// Fills exactly `out` (of the size given to produced()).
  using Producer = std::function<Status(MutableBytes out)>;

  TensorData() = default;
  static TensorData inline_bytes(std::vector<uint8_t> bytes) {
    return mapped(Blob::own(std::move(bytes)));
  }
  /// A range of a mapped file or of the host's buffer.
  static TensorData mapped(Blob bytes);
  static TensorData produced(uint64_t size, Producer producer);

  uint64_t size() const { return source_ == nullptr ? 0 : source_->size; }
  bool is_produced() const { return source_ != nullptr && source_->producer != nullptr; }
  /// The same for all copies of a handle, and for no other handle as long as one of them lives;
  /// null for a handle without data.
  const void* identity() const { return source_.get(); }

  /// The bytes; made now if they are produced. kInternal if they have been forgotten,
  /// kResourceExhausted where there is no memory for them.
  Result<Blob> load() const;

  /// Writes the bytes into `out`, of size() bytes, with no copy in between.
  Status load_into(MutableBytes out) const;

  /// Lets go of the bytes for every copy of the handle: what was to be made of them has been made.
  void forget() const;

 private:
  struct Source {
    uint64_t size = 0;
    Blob bytes;
    Producer producer;
    bool forgotten = false;
  };
  explicit TensorData(Source source) : source_(std::make_shared<Source>(std::move(source))) {}

  std::shared_ptr<Source> source_;
};

struct Tensor {
  DType dtype = DType::kUndefined;
  std::vector<int64_t> dims;
  /// Row-major, little-endian; 4-bit elements two a byte, the first in the low half.
  TensorData data;

  int64_t element_count() const;
  Type type() const;
};

/// Bytes that `count` elements take, 4-bit ones rounded up to whole bytes.
uint64_t byte_size(DType dtype, int64_t count);

/// Product of the dimensions; kCorrupt if one is negative or if the product of those that are not 0
/// passes 2^48: then no product of some of them wraps either.
Result<int64_t> checked_element_count(std::span<const int64_t> dims);

template <typename T>
std::vector<uint8_t> to_bytes(const std::vector<T>& values) {
  const auto* begin = reinterpret_cast<const uint8_t*>(values.data());
  return {begin, begin + values.size() * sizeof(T)};
}

/// A tensor over a copy of `values`; `dtype` says what T is.
template <typename T>
Tensor make_tensor(DType dtype, std::vector<int64_t> dims, const std::vector<T>& values) {
  return Tensor{dtype, std::move(dims), TensorData::inline_bytes(to_bytes(values))};
}

}  // namespace enm::graph
