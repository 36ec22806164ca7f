// A text being written: which tokens it wants the model to read next, and what it makes of the
// logits. Passive: a session runs the model for one or several of them at a time.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "enm/base/json.h"
#include "enm/pipeline/stop_filter.h"
#include "enm/runtime/sampler.h"
#include "enm/text/grammar/constraint.h"
#include "enm/text/tokenizer.h"

namespace enm::pipeline {

struct GenerateOptions {
  runtime::SamplingOptions sampling;
  int64_t max_tokens = 128;
  std::vector<std::string> stop;  // the text ends before the first of these
  int32_t logprobs = -1;          // likeliest tokens to list for each token; below 0: no list
  // What the text is kept to; at most one of the two.
  Json json_schema;     // null: none
  std::string grammar;  // GBNF; empty: none
};

/// A token and what the model's own distribution gives it, before temperature, penalty and grammar.
struct TokenLogprob {
  int32_t id = 0;
  std::string bytes;  // its part of the text, maybe of a character; none of special tokens
  double logprob = 0;
  std::vector<TokenLogprob> top;  // the likeliest at its place, likeliest first
};

enum class Finish { kStop, kLength, kContextFull, kCancelled };
/// "stop", "length", "context_full", "cancelled"
std::string_view finish_name(Finish finish);

struct GenerateResult {
  std::string text;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;  // of the prompt, that the cache held before
  int64_t tokens = 0;
  Finish finish = Finish::kStop;
  std::vector<TokenLogprob> logprobs;  // of each token, if they were asked for
};

class Generation {
 public:
  /// Where it stands in the model, which outlives it.
  struct Place {
    int sequence = 0;
    int64_t cached = 0;   // tokens of the prompt that the sequence holds
    int64_t context = 0;  // tokens the sequence has room for
    int64_t chunk = 0;    // tokens that a pass takes
  };

  /// `prompt` is not empty and fits the context. `constraint` stands at its beginning, or is null.
  /// `released` is called when the sequence is free.
  Generation(const text::Tokenizer& tokenizer, const std::vector<int32_t>& end_tokens,
             std::vector<int32_t> prompt, const GenerateOptions& options, int64_t vocab,
             const Place& place, std::shared_ptr<text::grammar::Constraint> constraint,
             std::function<void(int sequence)> released);
  ~Generation() { released_(place_.sequence); }
  Generation(const Generation&) = delete;
  Generation& operator=(const Generation&) = delete;

  int sequence() const { return place_.sequence; }
  bool reading_prompt() const { return read_ < static_cast<int64_t>(prompt_.size()); }
  bool done() const { return done_; }

  /// What the model shall read next; empty once it is done. Ends it where nothing may follow.
  std::span<const int32_t> next_tokens();
  /// Whether the logits behind those tokens are wanted.
  bool wants_logits() const;
  /// The model has read next_tokens(); `logits` are those behind the last, if they were wanted. A
  /// failure ends it.
  Status take(std::span<const float> logits);

  /// The text that can be shown since the last call: whole characters, never a part of a stop
  /// sequence, often none.
  std::string take_text();

  /// Ends here. What was made so far is the result.
  void cancel() {
    if (!done_) static_cast<void>(finish(Finish::kCancelled));
  }

  /// `text` is all that take_text() gave and will give out.
  const GenerateResult& result() const { return result_; }

 private:
  Status choose(std::span<const float> logits);
  void note(std::span<const float> logits);  // the chosen token's log-probability
  void show(std::string_view text);
  // Both are OK, for those who end by returning: with the text that is held back, and as it stands.
  Status end(Finish reason);
  Status finish(Finish reason);

  const text::Tokenizer& tokenizer_;
  const std::vector<int32_t>& end_tokens_;
  const std::vector<int32_t> prompt_;
  const int64_t max_tokens_;
  const int32_t logprobs_;
  const Place place_;
  const std::function<void(int sequence)> released_;
  const std::shared_ptr<text::grammar::Constraint> constraint_;
  runtime::Sampler sampler_;
  text::StreamDecoder stream_;
  StopFilter stops_;
  int64_t read_ = 0;      // of the prompt
  int64_t position_ = 0;  // tokens that the sequence holds
  int32_t pending_ = -1;  // chosen and not read by the model yet
  bool done_ = false;
  size_t shown_ = 0;  // of result_.text
  GenerateResult result_;
};

}  // namespace enm::pipeline
