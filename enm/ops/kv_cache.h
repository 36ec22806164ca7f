// The key-value cache: what attention keeps of the tokens it has seen.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "enm/base/aligned_memory.h"
#include "enm/graph/type.h"

namespace enm::ops {

/// What one layer keeps of a token: kv_heads keys and values of head_dim elements each.
struct KvLayerShape {
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t window = 0;  // tokens that attention looks back, itself included; 0 for all
  graph::DType dtype = graph::DType::kFloat32;  // the only one so far
};

/// Room for `sequences` sequences of up to `capacity` tokens each. Rows lie
///   [sequence][layer][key, value][head][capacity][head_dim]
/// so that nothing is copied from token to token. Pages that no token has reached cost nothing
/// where the system gives memory page by page.
class KvCache {
 public:
  /// kResourceExhausted if the budget or the system has not as much memory.
  static Result<std::unique_ptr<KvCache>> create(std::vector<KvLayerShape> layers, int64_t capacity,
                                                 int sequences, MemoryBudget& budget);

  const std::vector<KvLayerShape>& layers() const { return layers_; }
  int64_t capacity() const { return capacity_; }
  int sequences() const { return static_cast<int>(tokens_.size()); }
  uint64_t bytes() const { return memory_.size(); }

  /// The tokens whose keys and values are kept.
  std::span<const int32_t> tokens(int sequence) const { return tokens_[at(sequence)]; }
  int64_t length(int sequence) const { return static_cast<int64_t>(tokens_[at(sequence)].size()); }

  /// Row 0 of a head's keys or values: [capacity][head_dim].
  float* keys(int sequence, int layer, int64_t head) const {
    return rows(sequence, layer, head, 0);
  }
  float* values(int sequence, int layer, int64_t head) const {
    return rows(sequence, layer, head, 1);
  }

  /// Tokens whose rows a run has written. They fit: length + count <= capacity.
  void append(int sequence, std::span<const int32_t> tokens);
  /// Forgets the tokens from `length` on.
  void truncate(int sequence, int64_t length);
  /// Makes `to` the first `length` tokens of `from`.
  void fork(int from, int to, int64_t length);

 private:
  KvCache() = default;
  static size_t at(int index) { return static_cast<size_t>(index); }
  float* rows(int sequence, int layer, int64_t head, int part) const;

  std::vector<KvLayerShape> layers_;
  std::vector<uint64_t> offsets_;  // floats before a layer within a sequence
  uint64_t sequence_floats_ = 0;
  int64_t capacity_ = 0;
  std::vector<std::vector<int32_t>> tokens_;
  AlignedMemory memory_;
};

/// What one run does to the cache: row b of the batch continues sequence sequences[b], which holds
/// cache->length(sequences[b]) tokens, by counts[b] tokens. Rows of a batch are padded to the
/// longest behind their tokens.
struct KvRun {
  KvCache* cache = nullptr;
  std::span<const int32_t> sequences;
  std::span<const int64_t> counts;
};

}  // namespace enm::ops
