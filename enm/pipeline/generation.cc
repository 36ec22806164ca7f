#include "enm/pipeline/generation.h"

#include <algorithm>

#include "enm/runtime/logprobs.h"

namespace enm::pipeline {

std::string_view finish_name(Finish finish) {
  switch (finish) {
    case Finish::kStop:
      return "stop";
    case Finish::kLength:
      return "length";
    case Finish::kContextFull:
      return "context_full";
    case Finish::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

Generation::Generation(const text::Tokenizer& tokenizer, const std::vector<int32_t>& end_tokens,
                       std::vector<int32_t> prompt, const GenerateOptions& options, int64_t vocab,
                       const Place& place, std::shared_ptr<text::grammar::Constraint> constraint,
                       std::function<void(int sequence)> released)
    : tokenizer_(tokenizer),
      end_tokens_(end_tokens),
      prompt_(std::move(prompt)),
      max_tokens_(options.max_tokens),
      logprobs_(options.logprobs),
      place_(place),
      released_(std::move(released)),
      constraint_(std::move(constraint)),
      sampler_(options.sampling, vocab),
      stream_(tokenizer),
      stops_(options.stop),
      read_(place.cached),
      position_(place.cached) {
  result_.prompt_tokens = static_cast<int64_t>(prompt_.size());
  result_.cached_tokens = place.cached;
  for (int32_t id : prompt_) sampler_.saw(id);
}

std::span<const int32_t> Generation::next_tokens() {
  if (done_) return {};
  if (reading_prompt()) {
    const std::span<const int32_t> rest = std::span(prompt_).subspan(static_cast<size_t>(read_));
    return rest.first(std::min(rest.size(), static_cast<size_t>(place_.chunk)));
  }
  return {&pending_, 1};
}

bool Generation::wants_logits() const {
  return !reading_prompt() || result_.prompt_tokens - read_ <= place_.chunk;
}

Status Generation::take(std::span<const float> logits) {
  const auto count = static_cast<int64_t>(next_tokens().size());
  position_ += count;
  if (reading_prompt()) read_ += count;
  if (reading_prompt()) return {};
  const Status chosen = choose(logits);
  if (!chosen.ok()) cancel();
  return chosen;
}

Status Generation::choose(std::span<const float> logits) {
  if (result_.tokens == max_tokens_) return end(Finish::kLength);
  std::span<const uint32_t> allowed;
  if (constraint_ != nullptr) {
    ENM_ASSIGN_OR_RETURN(allowed, constraint_->allowed());
  }
  pending_ = sampler_.sample(logits, allowed);
  if (std::find(end_tokens_.begin(), end_tokens_.end(), pending_) != end_tokens_.end()) {
    return end(Finish::kStop);
  }
  sampler_.saw(pending_);
  ++result_.tokens;
  if (logprobs_ >= 0) note(logits);
  if (constraint_ != nullptr) constraint_->take(pending_);
  show(stops_.push(stream_.push(pending_)));
  if (stops_.stopped()) return finish(Finish::kStop);
  if (constraint_ != nullptr && constraint_->finished()) return end(Finish::kStop);
  if (result_.tokens == max_tokens_) return end(Finish::kLength);
  return position_ == place_.context ? end(Finish::kContextFull) : Status();
}

void Generation::note(std::span<const float> logits) {
  const double normalizer = runtime::log_sum_exp(logits);
  const auto listed = [&](int32_t token) {
    TokenLogprob out{.id = token};
    tokenizer_.append_text(token, result_.tokens == 1, out.bytes);
    out.logprob = static_cast<double>(logits[static_cast<size_t>(token)]) - normalizer;
    return out;
  };
  result_.logprobs.push_back(listed(pending_));
  for (int32_t token : runtime::likeliest(logits, static_cast<size_t>(logprobs_))) {
    result_.logprobs.back().top.push_back(listed(token));
  }
}

void Generation::show(std::string_view text) { result_.text += text; }

std::string Generation::take_text() {
  std::string text = result_.text.substr(shown_);
  shown_ = result_.text.size();
  return text;
}

Status Generation::end(Finish reason) {
  show(stops_.push(stream_.flush()));
  if (!stops_.stopped()) show(stops_.flush());
  return finish(reason);
}

Status Generation::finish(Finish reason) {
  result_.finish = reason;
  done_ = true;
  return {};
}

}  // namespace enm::pipeline
