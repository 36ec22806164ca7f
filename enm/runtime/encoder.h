// An embedding model: batches of token ids in, one vector a sentence out.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "enm/runtime/executor.h"

namespace enm::runtime {

/// Graph inputs input_ids, attention_mask and token_type_ids (each but the first if it has it);
/// output sentence_embedding f32[batch, width].
class Encoder {
 public:
  static bool fits(const graph::Graph& graph);
  static Result<std::unique_ptr<Encoder>> open(graph::Graph graph, Isa isa, ThreadPool& pool);

  /// One vector for each sequence of ids. Sequences are padded to the longest; padding is masked.
  Result<std::vector<std::vector<float>>> embed(std::span<const std::vector<int32_t>> batch);

  /// Longest sequence: rows of the position table, or 0 if the graph does not say.
  int64_t max_length() const { return max_length_; }
  /// How many sequences may share a run. Activations quantized with one scale for the whole batch
  /// would make a vector depend on its neighbours: then it is 1.
  size_t max_batch() const { return max_batch_; }
  uint64_t weight_bytes() const { return executor_->weight_bytes(); }
  uint64_t arena_bytes() const { return executor_->arena_bytes(); }

 private:
  Encoder() = default;

  std::unique_ptr<Executor> executor_;
  int64_t max_length_ = 0;
  size_t max_batch_ = 32;
  int64_t planned_batch_ = 0;
  int64_t planned_length_ = 0;
};

}  // namespace enm::runtime
