// A language model with its key-value cache: tokens in, logits of the next one out.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "enm/runtime/executor.h"

namespace enm::runtime {

struct DecoderOptions {
  /// Positions the cache has room for; 0 for the model's own limit.
  int64_t context_length = 0;
  /// Tokens that one pass takes at most; the arena is planned for as many.
  int64_t chunk = 128;
  /// Logits of every position instead of the last one only: for scoring text.
  bool all_logits = false;
  Isa isa = Isa::kScalar;
};

/// Graph inputs input_ids, attention_mask, position_ids (if it has one) and past_key_values.N.key
/// and .value; outputs logits and present.N.key and .value. The cache of a layer is one buffer
/// [kv_heads, context, head_dim], bound to both ends: nothing is copied from token to token.
class Decoder {
 public:
  static bool fits(const graph::Graph& graph);

  /// kResourceExhausted if options ask for more context than the model has.
  static Result<std::unique_ptr<Decoder>> open(graph::Graph graph, const DecoderOptions& options,
                                               ThreadPool& pool);

  /// Runs the model on tokens that follow those before. kResourceExhausted beyond context_length()
  /// (nothing is run then), kInvalidArgument for a token outside of the vocabulary.
  Status append(std::span<const int32_t> tokens);

  /// Called by append after each pass with all_logits: floats [count, vocab] for the positions
  /// [first, first + count).
  using LogitsSink = std::function<Status(int64_t first, int64_t count, const float* logits)>;
  void set_logits_sink(LogitsSink sink) { sink_ = std::move(sink); }

  /// Logits after the last appended token: vocab() floats, valid until the next append.
  std::span<const float> logits() const { return logits_; }

  int64_t position() const { return position_; }
  int64_t context_length() const { return context_; }
  int64_t vocab() const { return vocab_; }

  /// Forgets all tokens from `position` on. The cache keeps what stands before.
  void truncate(int64_t position) { position_ = std::min(position, position_); }

  uint64_t weight_bytes() const { return executor_->weight_bytes(); }
  uint64_t cache_bytes() const { return cache_.size(); }
  uint64_t arena_bytes() const { return executor_->arena_bytes(); }

 private:
  struct Layer {
    graph::ValueId past = graph::kNoValue;
    graph::ValueId present = graph::kNoValue;
    int64_t kv_heads = 0;
    int64_t head_dim = 0;
    uint64_t offset = 0;  // of its buffer in the cache
  };

  Decoder() = default;
  Status find_layers();
  Status choose_context(int64_t asked);
  void bind(int64_t past, int64_t count);
  Status run_chunk(std::span<const int32_t> tokens);

  std::unique_ptr<Executor> executor_;
  std::vector<Layer> layers_;
  AlignedMemory cache_;
  std::vector<int64_t> ids_;        // one chunk
  std::vector<int64_t> positions_;  // one chunk
  std::vector<int64_t> mask_;       // context ones
  graph::ValueId input_ids_ = graph::kNoValue;
  graph::ValueId attention_mask_ = graph::kNoValue;
  graph::ValueId position_ids_ = graph::kNoValue;
  graph::ValueId logits_value_ = graph::kNoValue;
  std::span<const float> logits_;
  LogitsSink sink_;
  bool all_logits_ = false;
  int64_t chunk_ = 0;
  int64_t context_ = 0;
  int64_t position_ = 0;
  int64_t vocab_ = 0;
};

}  // namespace enm::runtime
