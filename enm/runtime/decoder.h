// A language model with its key-value cache: tokens in, logits of the next ones out.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "enm/graph/description.h"
#include "enm/runtime/session.h"

namespace enm::runtime {

/// A decoder's program and what its description says, resolved; immutable, shared by decoders.
class DecoderProgram {
 public:
  /// kUnsupported if the description is not that of a decoder or names no sizes.
  static Result<std::shared_ptr<const DecoderProgram>> compile(
      graph::Graph graph, const graph::ModelDescription& description, Isa isa, ThreadPool& pool,
      ops::Weights& weights);

  int64_t vocab() const { return vocab_; }
  /// Longest sequence that the model knows positions for.
  int64_t context_limit() const { return context_limit_; }
  /// True where attention writes into the cache in place. Otherwise the graph joins past and
  /// present itself, through ordinary tensors: one sequence at a time.
  bool is_cached() const { return is_cached_; }
  const std::vector<ops::KvLayerShape>& layers() const { return layers_; }

 private:
  friend class Decoder;
  struct LayerValues {
    graph::ValueId past[2];  // keys, values
    graph::ValueId present[2];
  };
  Status resolve(const graph::ModelDescription& description);
  bool attends_in_place() const;

  std::shared_ptr<const Program> program_;
  std::vector<ops::KvLayerShape> layers_;
  std::vector<LayerValues> layer_values_;
  graph::ValueId input_ids_ = graph::kNoValue;
  graph::ValueId attention_mask_ = graph::kNoValue;
  graph::ValueId position_ids_ = graph::kNoValue;
  graph::ValueId rows_ = graph::kNoValue;  // which positions the head computes
  graph::ValueId logits_ = graph::kNoValue;
  int64_t vocab_ = 0;
  int64_t context_limit_ = 0;
  int64_t short_context_ = 0;  // of the description; none: as long as any text
  bool is_cached_ = false;
};

struct DecoderOptions {
  /// Positions the cache has room for, a sequence; 0 for the model's own limit, at most 4096.
  int64_t context_length = 0;
  /// Sequences that the cache holds, and that one pass may continue.
  int sequences = 1;
  /// Tokens of one sequence that a pass takes at most; the arena is planned for as many.
  int64_t chunk = 128;
};

class Decoder {
 public:
  /// Which positions' logits a pass computes.
  enum class Logits : uint8_t { kNone, kLast, kAll };

  /// Tokens that follow those of a sequence.
  struct Feed {
    int sequence = 0;
    std::span<const int32_t> tokens;
    Logits logits = Logits::kLast;
  };

  /// `pool` and `budget` outlive the decoder. kResourceExhausted if options ask for more context
  /// than the model has, or for more memory than the budget.
  static Result<std::unique_ptr<Decoder>> open(std::shared_ptr<const DecoderProgram> program,
                                               const DecoderOptions& options, ThreadPool& pool,
                                               MemoryBudget& budget);

  /// Starts a pass over different sequences, each of up to chunk() tokens. Nothing is run if it is
  /// refused: kResourceExhausted beyond context_length(), kInvalidArgument for a token outside of
  /// the vocabulary. The spans stay valid until finish().
  Status begin(std::span<const Feed> feeds);
  /// Waits for the pass, after which the sequences hold its tokens.
  Status finish();

  /// Runs the model on tokens of any number, in passes; logits of the last one.
  Status append(int sequence, std::span<const int32_t> tokens);

  /// Of the last pass: the logits of feed `at`, rows of vocab() floats; valid until the next.
  std::span<const float> logits(size_t at = 0) const;

  /// Makes a sequence hold the longest beginning of `prompt` that it or another sequence holds,
  /// always less than all of them, so that the last one's logits are computed. Returns how many.
  int64_t reuse_prefix(int sequence, std::span<const int32_t> prompt);
  /// Forgets the tokens from `length` on.
  void truncate(int sequence, int64_t length);

  const DecoderProgram& program() const { return *program_; }
  std::span<const int32_t> tokens(int sequence) const;
  int64_t position(int sequence = 0) const { return static_cast<int64_t>(tokens(sequence).size()); }
  int64_t context_length() const { return context_; }
  int sequences() const { return sequences_; }
  int64_t chunk() const { return chunk_; }
  int64_t vocab() const { return program_->vocab(); }

  /// Tokens that passes have computed so far.
  int64_t computed() const { return computed_; }
  uint64_t cache_bytes() const;
  uint64_t arena_bytes() const { return session_.arena_bytes(); }
  void observe(StepObserver* observer) { session_.observe(observer); }

 private:
  /// The keys or values of a layer as a tensor, and room for the next: [1, kv_heads, tokens,
  /// head_dim]. Runs read one and fill the other.
  struct Dense {
    AlignedMemory now, next;
  };
  /// Where a feed's logits begin, and how many rows there are.
  struct Rows {
    int64_t first = 0;
    int64_t count = 0;
  };

  Decoder(std::shared_ptr<const DecoderProgram> program, ThreadPool& pool, MemoryBudget& budget)
      : program_(std::move(program)), session_(program_->program_, pool, budget) {}
  Status make_cache(MemoryBudget& budget);
  Status check(std::span<const Feed> feeds) const;
  Status lengthen(std::span<const Feed> feeds);
  bool is_long(std::span<const Feed> feeds) const;
  void fill_inputs(std::span<const Feed> feeds, int64_t longest);
  void bind(int64_t batch, int64_t past, int64_t count, int64_t rows);
  void bind_layers(int64_t batch, int64_t past, int64_t count);
  Status plan_for(int64_t batch, int64_t count);
  Status check_logits() const;

  const std::shared_ptr<const DecoderProgram> program_;
  Session session_;
  std::unique_ptr<ops::KvCache> cache_;
  std::vector<Dense> dense_;  // two a layer
  std::vector<int32_t> dense_tokens_;
  std::vector<bool> long_;  // sequences that were computed as texts beyond the short context
  std::vector<int64_t> ids_, positions_, mask_, wanted_;
  std::vector<std::pair<int64_t, int64_t>> planned_;  // batch, tokens
  std::vector<int32_t> pass_sequences_;
  std::vector<int64_t> pass_counts_;
  std::vector<std::span<const int32_t>> pass_tokens_;
  std::vector<Rows> pass_rows_;
  int64_t pass_past_ = 0;
  int64_t computed_ = 0;
  int64_t context_ = 0;
  int64_t chunk_ = 0;
  int sequences_ = 1;
};

}  // namespace enm::runtime
