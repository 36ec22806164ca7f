#include "enm/ops/kv_cache.h"

#include <cstring>

namespace enm::ops {

Result<std::unique_ptr<KvCache>> KvCache::create(std::vector<KvLayerShape> layers, int64_t capacity,
                                                 int sequences, MemoryBudget& budget) {
  std::unique_ptr<KvCache> cache(new KvCache());
  // The limits on each factor keep these products within 64 bits.
  constexpr int64_t kMostHeads = 1 << 16;
  constexpr int64_t kMostPositions = 1 << 24;
  if (capacity < 1 || capacity > kMostPositions || sequences < 1 || sequences > 4096) {
    return InvalidArgument("a cache of ", sequences, " sequences of ", capacity, " tokens");
  }
  for (const KvLayerShape& layer : layers) {
    const bool fits = layer.kv_heads > 0 && layer.kv_heads <= kMostHeads && layer.head_dim > 0 &&
                      layer.head_dim <= kMostHeads;
    if (!fits || layer.dtype != graph::DType::kFloat32) {
      return Unsupported("a cache of ", layer.kv_heads, " heads of ", layer.head_dim, " ",
                         graph::dtype_name(layer.dtype));
    }
    cache->offsets_.push_back(cache->sequence_floats_);
    const auto row = static_cast<uint64_t>(layer.kv_heads * layer.head_dim) * 2;
    if (row > (uint64_t{1} << 56) / static_cast<uint64_t>(capacity) - cache->sequence_floats_) {
      return ResourceExhausted("the key-value cache would be larger than any memory");
    }
    cache->sequence_floats_ += row * static_cast<uint64_t>(capacity);
  }
  const uint64_t floats = cache->sequence_floats_;
  if (floats > (uint64_t{1} << 60) / static_cast<uint64_t>(sequences) / sizeof(float)) {
    return ResourceExhausted("the key-value cache would be larger than any memory");
  }
  auto memory = AlignedMemory::allocate(floats * static_cast<uint64_t>(sequences) * sizeof(float),
                                        budget, "the key-value cache");
  if (!memory.ok()) {
    return ResourceExhausted(memory.status().message(), "; ask for a shorter context");
  }
  cache->memory_ = *std::move(memory);
  cache->layers_ = std::move(layers);
  cache->capacity_ = capacity;
  cache->tokens_.resize(static_cast<size_t>(sequences));
  // Remembering a token allocates nothing.
  for (auto& tokens : cache->tokens_) tokens.reserve(static_cast<size_t>(capacity));
  return cache;
}

float* KvCache::rows(int sequence, int layer, int64_t head, int part) const {
  const KvLayerShape& shape = layers_[at(layer)];
  const uint64_t row =
      offsets_[at(layer)] + static_cast<uint64_t>(sequence) * sequence_floats_ +
      static_cast<uint64_t>((part * shape.kv_heads + head) * capacity_ * shape.head_dim);
  return reinterpret_cast<float*>(memory_.data()) + row;
}

void KvCache::append(int sequence, std::span<const int32_t> tokens) {
  std::vector<int32_t>& known = tokens_[at(sequence)];
  known.insert(known.end(), tokens.begin(), tokens.end());
}

void KvCache::truncate(int sequence, int64_t length) {
  std::vector<int32_t>& known = tokens_[at(sequence)];
  if (length < static_cast<int64_t>(known.size())) known.resize(at(static_cast<int>(length)));
}

void KvCache::fork(int from, int to, int64_t length) {
  if (from == to) return truncate(to, length);
  const std::span<const int32_t> kept = tokens(from).first(static_cast<size_t>(length));
  for (int layer = 0; layer < static_cast<int>(layers_.size()); ++layer) {
    const KvLayerShape& shape = layers_[at(layer)];
    const auto bytes = static_cast<size_t>(length * shape.head_dim) * sizeof(float);
    for (int64_t head = 0; head < shape.kv_heads; ++head) {
      std::memcpy(keys(to, layer, head), keys(from, layer, head), bytes);
      std::memcpy(values(to, layer, head), values(from, layer, head), bytes);
    }
  }
  tokens_[at(to)].assign(kept.begin(), kept.end());
}

}  // namespace enm::ops
