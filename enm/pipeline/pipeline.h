// A model folder made ready to use: text in, text or vectors out. What the command line, the
// WebAssembly module and validation all call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/file.h"
#include "enm/base/threads.h"
#include "enm/runtime/decoder.h"
#include "enm/runtime/encoder.h"
#include "enm/runtime/sampler.h"
#include "enm/text/tokenizer.h"

namespace enm::pipeline {

struct OpenOptions {
  std::string model_file;  // within the folder; empty: found by name
  int threads = 1;
  ThreadPool* pool = nullptr;  // used instead of own threads; must outlive the pipeline
  int64_t context_length = 0;  // 0: the model's own, at most 4096
  bool all_logits = false;     // for scoring
};

struct GenerateOptions {
  runtime::SamplingOptions sampling;
  int64_t max_tokens = 128;
  std::vector<std::string> stop;  // the text ends before the first of these
};

enum class Finish { kStop, kLength, kContextFull, kCancelled };
/// "stop", "length", "context_full", "cancelled"
std::string_view finish_name(Finish finish);

struct GenerateResult {
  std::string text;
  int64_t prompt_tokens = 0;
  int64_t tokens = 0;
  Finish finish = Finish::kStop;
};

struct Perplexity {
  double perplexity = 0;
  int64_t tokens = 0;  // scored
  int64_t windows = 0;
};

class Generation;

class Pipeline {
 public:
  /// `files` is not needed any more once this returns.
  static Result<std::unique_ptr<Pipeline>> open(const FileSource& files,
                                                const OpenOptions& options);

  bool is_decoder() const { return decoder_ != nullptr; }
  bool is_embedder() const { return encoder_ != nullptr; }
  /// Bytes that the packed weights take.
  uint64_t weight_bytes() const;
  const text::Tokenizer& tokenizer() const { return tokenizer_; }
  runtime::Decoder& decoder() { return *decoder_; }

  /// Continues a prompt. `piece` gets the text as it comes, whole characters, never a part of a
  /// stop sequence; returning false cancels. `prompt_done` is called once the prompt has been read.
  using Piece = std::function<bool(std::string_view text)>;
  Result<GenerateResult> generate(std::string_view prompt, const GenerateOptions& options,
                                  const Piece& piece,
                                  const std::function<void()>& prompt_done = {});

  /// The same one pass of the model at a time. One generation of a pipeline lives at a time.
  Result<std::unique_ptr<Generation>> start(std::string_view prompt,
                                            const GenerateOptions& options);

  /// One vector for each text, in order; texts of like length share a batch.
  Result<std::vector<std::vector<float>>> embed(const std::vector<std::string>& texts);

  /// Perplexity of a text: encoded whole without special tokens, cut into windows of `window`
  /// tokens (the rest dropped), positions 1 .. window - 1 of each scored, the mean over all
  /// exponentiated. Needs OpenOptions::all_logits. `max_windows` 0 takes all.
  Result<Perplexity> perplexity(std::string_view text, int64_t window, int64_t max_windows,
                                const std::function<Status(int64_t done, int64_t total)>& progress);

 private:
  explicit Pipeline(text::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}

  std::unique_ptr<ThreadPool> own_pool_;
  text::Tokenizer tokenizer_;
  std::unique_ptr<runtime::Decoder> decoder_;
  std::unique_ptr<runtime::Encoder> encoder_;
  std::vector<int32_t> end_tokens_;
};

}  // namespace enm::pipeline
