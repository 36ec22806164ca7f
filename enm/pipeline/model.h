// A model folder made ready: tokenizer, program, packed weights. Immutable and shared by sessions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "enm/base/file.h"
#include "enm/base/mutex.h"
#include "enm/base/threads.h"
#include "enm/graph/description.h"
#include "enm/pipeline/model_folder.h"
#include "enm/runtime/decoder.h"
#include "enm/runtime/encoder.h"
#include "enm/text/chat_template.h"
#include "enm/text/grammar/constraint.h"
#include "enm/text/tokenizer.h"

namespace enm::pipeline {

struct ModelOptions {
  static constexpr int kAccuracyOfFile = -1;

  std::string model_file;     // within the folder; empty: found by name
  int64_t context = 0;        // of load_graph()
  uint64_t memory_limit = 0;  // bytes of weights, caches and arenas in all; 0: the machine's memory
  /// How low-bit products are computed: 4 with int8 activations, 0 with floats.
  int accuracy_level = kAccuracyOfFile;
  std::string chat_template;  // Jinja, in place of the folder's; empty: the folder's
};

class Model {
 public:
  /// `files` is not needed any more once this returns; `pool` packs the weights.
  static Result<std::shared_ptr<const Model>> open(const FileSource& files,
                                                   const ModelOptions& options, ThreadPool& pool);

  const graph::ModelDescription& description() const { return description_; }
  const text::Tokenizer& tokenizer() const { return tokenizer_; }
  /// Tokens that end a text: the generation's, and those that end an answer of a chat.
  const std::vector<int32_t>& end_tokens() const { return end_tokens_; }
  const Prompts& prompts() const { return prompts_; }
  /// kNotFound if the folder has none.
  const Result<text::ChatTemplate>& chat_template() const { return chat_template_; }
  /// The tokens of a decoder by their texts, for constraints. Made at the first call.
  const text::grammar::TokenTexts& token_texts() const;
  /// One of the two is null.
  const std::shared_ptr<const runtime::DecoderProgram>& decoder() const { return decoder_; }
  const std::shared_ptr<const runtime::EncoderProgram>& encoder() const { return encoder_; }

  uint64_t weight_bytes() const { return weights_.bytes(); }
  /// What sessions take their memory from.
  MemoryBudget& budget() const { return budget_; }

 private:
  Model(text::Tokenizer tokenizer, uint64_t memory_limit)
      : budget_(memory_limit > 0 ? memory_limit : MemoryBudget::system_memory()),
        weights_(budget_),
        tokenizer_(std::move(tokenizer)) {}
  static Result<std::shared_ptr<const Model>> open_files(const FileSource& files,
                                                         const ModelOptions& options,
                                                         ThreadPool& pool);
  void add_end_tokens_of_chat();
  Status compile(graph::Graph graph, ThreadPool& pool);

  mutable MemoryBudget budget_;
  ops::Weights weights_;
  text::Tokenizer tokenizer_;
  Result<text::ChatTemplate> chat_template_ = NotFound("not read");
  std::vector<int32_t> end_tokens_;
  Prompts prompts_;
  mutable Mutex token_texts_mutex_;
  mutable std::unique_ptr<const text::grammar::TokenTexts> token_texts_;
  graph::ModelDescription description_;
  std::shared_ptr<const runtime::DecoderProgram> decoder_;
  std::shared_ptr<const runtime::EncoderProgram> encoder_;
};

}  // namespace enm::pipeline
