// A model in use: text in, text or vectors out. What the command line, the WebAssembly module and
// validation all call. Cheap beside its model; many may share one, each on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/pipeline/generation.h"
#include "enm/pipeline/model.h"

namespace enm::pipeline {

struct SessionOptions {
  int64_t context_length = 0;  // 0: the model's own, at most 4096
  int sequences = 1;           // texts that may be written at a time
};

struct EmbedOptions {
  std::string prompt;      // a name of Model::prompts(); empty: the folder's usual one, or none
  int64_t dimensions = 0;  // the first so many of each vector, normalized anew; 0: all
};

struct Perplexity {
  double perplexity = 0;
  int64_t tokens = 0;  // scored
  int64_t windows = 0;
};

class Session {
 public:
  /// `pool` outlives the session, and serves no other at the same time.
  static Result<std::unique_ptr<Session>> open(std::shared_ptr<const Model> model,
                                               const SessionOptions& options, ThreadPool& pool);

  const Model& model() const { return *model_; }
  bool is_decoder() const { return decoder_ != nullptr; }
  bool is_embedder() const { return encoder_ != nullptr; }
  runtime::Decoder& decoder() { return *decoder_; }
  uint64_t cache_bytes() const { return is_decoder() ? decoder_->cache_bytes() : 0; }
  uint64_t arena_bytes() const {
    return is_decoder() ? decoder_->arena_bytes() : encoder_->arena_bytes();
  }

  /// Continues a prompt. `piece` gets the text as it comes, whole characters, never a part of a
  /// stop sequence; returning false cancels. `prompt_done` is called once the prompt has been read.
  using Piece = std::function<bool(std::string_view text)>;
  Result<GenerateResult> generate(std::string_view prompt, const GenerateOptions& options,
                                  const Piece& piece,
                                  const std::function<void()>& prompt_done = {});

  /// The answer to a chat, rendered by the model's template.
  Result<GenerateResult> generate(const text::Chat& chat, const GenerateOptions& options,
                                  const Piece& piece,
                                  const std::function<void()>& prompt_done = {});

  /// The same one pass at a time. Takes one of the session's sequences until it goes, and what the
  /// cache already holds of the prompt. kResourceExhausted if all sequences are taken. The session
  /// outlives it.
  Result<std::unique_ptr<Generation>> start(std::string_view prompt,
                                            const GenerateOptions& options);
  Result<std::unique_ptr<Generation>> start(const text::Chat& chat, const GenerateOptions& options);

  /// One pass of the model over the next tokens of each, in two halves, so that a device may answer
  /// later. Those that are done are left out; the others live until finish(). Each finds its text
  /// in take_text().
  Status begin(std::span<Generation* const> generations);
  Status finish();
  /// Both halves for one.
  Status step(Generation& generation);

  /// Forgets what was read and written, but for texts that are being written.
  void clear_cache();

  /// One vector for each text, in order; texts of like length share a batch.
  Result<std::vector<std::vector<float>>> embed(const std::vector<std::string>& texts,
                                                const EmbedOptions& options = {});

  /// Perplexity of a text: encoded whole without special tokens, cut into windows of `window`
  /// tokens (the rest dropped), positions 1 .. window - 1 of each scored, the mean over all
  /// exponentiated. `max_windows` 0 takes all. Needs a sequence that is not taken.
  Result<Perplexity> perplexity(std::string_view text, int64_t window, int64_t max_windows,
                                const std::function<Status(int64_t done, int64_t total)>& progress);

 private:
  explicit Session(std::shared_ptr<const Model> model) : model_(std::move(model)) {}
  Result<int> free_sequence() const;
  Result<std::unique_ptr<Generation>> start(std::vector<int32_t> ids,
                                            const GenerateOptions& options);
  Result<GenerateResult> write(Result<std::unique_ptr<Generation>> started, const Piece& piece,
                               const std::function<void()>& prompt_done);
  // Null if the options ask for none.
  Result<std::shared_ptr<text::grammar::Constraint>> constraint(const GenerateOptions& options);

  const std::shared_ptr<const Model> model_;
  std::unique_ptr<runtime::Decoder> decoder_;
  std::unique_ptr<runtime::Encoder> encoder_;
  std::vector<bool> taken_;           // sequences
  std::vector<Generation*> in_pass_;  // between begin() and finish()
  std::vector<runtime::Decoder::Feed> feeds_;
  // The last constraint and what it was made of: it knows its grammar better with every text.
  std::shared_ptr<text::grammar::Constraint> constraint_;
  std::string constraint_source_;
};

}  // namespace enm::pipeline
