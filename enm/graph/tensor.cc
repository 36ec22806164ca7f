#include "enm/graph/tensor.h"

#include <cstring>

#include "enm/base/aligned_memory.h"

namespace enm::graph {

TensorData TensorData::mapped(Blob bytes) {
  const uint64_t size = bytes.size();
  return TensorData(Source{size, std::move(bytes), nullptr});
}

TensorData TensorData::produced(uint64_t size, Producer producer) {
  return TensorData(Source{size, {}, std::move(producer)});
}

Result<Blob> TensorData::load() const {
  if (source_ == nullptr) return Blob();
  if (source_->forgotten) return Internal("a constant is read after it was let go of");
  if (!is_produced()) return source_->bytes;
  ENM_ASSIGN_OR_RETURN(AlignedMemory made, AlignedMemory::allocate(size(), "a constant"));
  ENM_RETURN_IF_ERROR(source_->producer(made.bytes()));
  return AlignedMemory::as_blob(std::move(made));
}

Status TensorData::load_into(MutableBytes out) const {
  if (out.size() != size())
    return Internal("load_into ", out.size(), " bytes, tensor has ", size());
  if (is_produced() && !source_->forgotten) return source_->producer(out);
  ENM_ASSIGN_OR_RETURN(const Blob bytes, load());
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size());
  return Status();
}

void TensorData::forget() const {
  if (source_ == nullptr) return;
  source_->bytes = {};
  source_->producer = nullptr;
  source_->forgotten = true;
}

int64_t Tensor::element_count() const {
  int64_t count = 1;
  for (int64_t dim : dims) count *= dim;
  return count;
}

Type Tensor::type() const { return Type{dtype, Shape(dims.begin(), dims.end())}; }

uint64_t byte_size(DType dtype, int64_t count) {
  return (static_cast<uint64_t>(count) * static_cast<uint64_t>(dtype_bits(dtype)) + 7) / 8;
}

Result<int64_t> checked_element_count(std::span<const int64_t> dims) {
  constexpr int64_t kMost = int64_t{1} << 48;
  int64_t product = 1;
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0) return Corrupt("dimension ", dim, " is negative");
    empty |= dim == 0;
    if (dim == 0) continue;
    if (product > kMost / dim) return Corrupt("more than 2^48 elements");
    product *= dim;
  }
  return empty ? 0 : product;
}

}  // namespace enm::graph
