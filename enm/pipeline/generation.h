// A text being written: one pass of the model a step, so that a host that may not block (a
// browser's worker between two messages) can look up in between.
#pragma once

#include <string>
#include <vector>

#include "enm/pipeline/pipeline.h"
#include "enm/pipeline/stop_filter.h"

namespace enm::pipeline {

class Generation {
 public:
  /// `prompt` is not empty. `end_tokens` and `decoder` outlive this.
  Generation(runtime::Decoder& decoder, const text::Tokenizer& tokenizer,
             const std::vector<int32_t>& end_tokens, std::vector<int32_t> prompt,
             const GenerateOptions& options);

  bool reading_prompt() const { return read_ < prompt_.size(); }
  bool done() const { return done_; }

  /// Reads the next part of the prompt, or makes the next token. Returns the text that can be shown
  /// now: whole characters, never a part of a stop sequence, often none.
  Result<std::string> step();

  /// Ends here. What was made so far is the result.
  void cancel() { finish(Finish::kCancelled); }

  /// `text` is all that step() gave out.
  const GenerateResult& result() const { return result_; }

 private:
  Status read_prompt();
  std::string take(int32_t token);
  std::string end(Finish reason);
  void finish(Finish reason);

  runtime::Decoder& decoder_;
  const std::vector<int32_t>& end_tokens_;
  const std::vector<int32_t> prompt_;
  const int64_t max_tokens_;
  runtime::Sampler sampler_;
  text::StreamDecoder stream_;
  StopFilter stops_;
  size_t read_ = 0;
  int32_t pending_ = -1;  // sampled and not yet in the cache
  bool done_ = false;
  GenerateResult result_;
};

}  // namespace enm::pipeline
