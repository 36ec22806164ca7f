#include "enm/graph/tensor.h"

#include <cstring>

namespace enm::graph {

TensorData TensorData::produced(uint64_t size, Producer producer) {
  TensorData data;
  data.produced_size_ = size;
  data.producer_ = std::make_shared<const Producer>(std::move(producer));
  return data;
}

Result<Blob> TensorData::load() const {
  if (!producer_) return bytes_;
  std::vector<uint8_t> made(produced_size_);
  ENM_RETURN_IF_ERROR((*producer_)(made));
  return Blob::own(std::move(made));
}

Status TensorData::load_into(MutableBytes out) const {
  if (out.size() != size())
    return Internal("load_into ", out.size(), " bytes, tensor has ", size());
  if (producer_) return (*producer_)(out);
  if (!out.empty()) std::memcpy(out.data(), bytes_.data(), out.size());
  return Status();
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

Result<int64_t> checked_element_count(const std::vector<int64_t>& dims) {
  constexpr int64_t kMost = int64_t{1} << 48;
  int64_t count = 1;
  for (int64_t dim : dims) {
    if (dim < 0) return Corrupt("dimension ", dim, " is negative");
    if (dim != 0 && count > kMost / dim) return Corrupt("more than 2^48 elements");
    count *= dim;
  }
  return count;
}

}  // namespace enm::graph
