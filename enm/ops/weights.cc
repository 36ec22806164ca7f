#include "enm/ops/weights.h"

#include <algorithm>

namespace enm::ops {
namespace {

// A file need not align its numbers.
bool is_aligned(const Blob& bytes, graph::DType dtype) {
  const auto unit = static_cast<uintptr_t>(std::max(graph::dtype_bits(dtype) / 8, 1));
  return reinterpret_cast<uintptr_t>(bytes.data()) % unit == 0;
}

}  // namespace

Result<std::shared_ptr<const PackedWeight>> Weights::packed(
    std::string_view form, std::initializer_list<const graph::Tensor*> sources, Make make) {
  Key key{std::string(form), {}};
  Entry entry;
  for (const graph::Tensor* tensor : sources) {
    key.sources.push_back(tensor == nullptr ? nullptr : tensor->data.identity());
    if (tensor != nullptr) entry.sources.push_back(tensor->data);
  }
  const MutexLock lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) return found->second.packed;
  ENM_ASSIGN_OR_RETURN(entry.packed, make(budget_));
  bytes_ += entry.packed->bytes();
  return entries_.emplace(std::move(key), std::move(entry)).first->second.packed;
}

Result<Blob> Weights::plain(const graph::Tensor& tensor) {
  Key key{"plain", {tensor.data.identity()}};
  const MutexLock lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) return found->second.plain;
  Entry entry{{tensor.data}, nullptr, {}};
  // Loading what is produced would take memory that nobody has counted.
  if (!tensor.data.is_produced()) {
    ENM_ASSIGN_OR_RETURN(entry.plain, tensor.data.load());
  }
  if (!entry.plain.is_file_mapping() || !is_aligned(entry.plain, tensor.dtype)) {
    ENM_ASSIGN_OR_RETURN(AlignedMemory copy,
                         AlignedMemory::allocate(tensor.data.size(), budget_, "constants"));
    ENM_RETURN_IF_ERROR(tensor.data.load_into(copy.bytes()));
    entry.plain = AlignedMemory::as_blob(std::move(copy));
  }
  bytes_ += entry.plain.size();
  return entries_.emplace(std::move(key), std::move(entry)).first->second.plain;
}

uint64_t Weights::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

void Weights::forget_sources() {
  const MutexLock lock(mutex_);
  for (const auto& [key, entry] : entries_) {
    for (const graph::TensorData& source : entry.sources) source.forget();
  }
}

}  // namespace enm::ops
