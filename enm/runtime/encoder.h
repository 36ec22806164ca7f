// An embedding model: batches of token ids in, one vector a sequence out.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "enm/graph/description.h"
#include "enm/runtime/session.h"

namespace enm::runtime {

/// An embedder's program and what its description says, resolved; immutable, shared by encoders.
class EncoderProgram {
 public:
  /// kUnsupported if the description is not that of an embedder.
  static Result<std::shared_ptr<const EncoderProgram>> compile(
      graph::Graph graph, const graph::ModelDescription& description, Isa isa, ThreadPool& pool,
      ops::Weights& weights);

  /// Longest sequence, or 0 if nothing says.
  int64_t max_length() const { return max_length_; }
  /// How many sequences may share a run. Activations quantized with one scale for the whole batch
  /// would make a vector depend on its neighbours: then it is 1.
  size_t max_batch() const { return max_batch_; }

 private:
  friend class Encoder;
  std::shared_ptr<const Program> program_;
  graph::ValueId input_ids_ = graph::kNoValue;
  graph::ValueId attention_mask_ = graph::kNoValue;
  graph::ValueId token_type_ids_ = graph::kNoValue;
  graph::ValueId vectors_ = graph::kNoValue;
  int64_t max_length_ = 0;
  size_t max_batch_ = 32;
  int64_t dimensions_ = 0;  // 0 where nothing says
};

class Encoder {
 public:
  /// `pool` and `budget` outlive the encoder.
  Encoder(std::shared_ptr<const EncoderProgram> program, ThreadPool& pool, MemoryBudget& budget)
      : program_(std::move(program)),
        session_(program_->program_, pool, budget),
        dimensions_(program_->dimensions_) {}

  /// One vector for each sequence of ids. Sequences are padded to the longest; padding is masked.
  Result<std::vector<std::vector<float>>> embed(std::span<const std::vector<int32_t>> batch);

  const EncoderProgram& program() const { return *program_; }
  uint64_t arena_bytes() const { return session_.arena_bytes(); }
  void observe(StepObserver* observer) { session_.observe(observer); }

 private:
  const std::shared_ptr<const EncoderProgram> program_;
  Session session_;
  int64_t planned_batch_ = 0;
  int64_t planned_length_ = 0;
  int64_t dimensions_;  // those of the first vectors where nothing says
};

}  // namespace enm::runtime
