#include "enm/pipeline/generation.h"

#include <algorithm>

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
                       const Place& place, std::function<void(int sequence)> released)
    : end_tokens_(end_tokens),
      prompt_(std::move(prompt)),
      max_tokens_(options.max_tokens),
      place_(place),
      released_(std::move(released)),
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

void Generation::take(std::span<const float> logits) {
  const auto count = static_cast<int64_t>(next_tokens().size());
  position_ += count;
  if (reading_prompt()) read_ += count;
  if (!reading_prompt()) choose(logits);
}

void Generation::choose(std::span<const float> logits) {
  if (result_.tokens == max_tokens_) return end(Finish::kLength);
  pending_ = sampler_.sample(logits);
  if (std::find(end_tokens_.begin(), end_tokens_.end(), pending_) != end_tokens_.end()) {
    return end(Finish::kStop);
  }
  sampler_.saw(pending_);
  ++result_.tokens;
  show(stops_.push(stream_.push(pending_)));
  if (stops_.stopped()) return finish(Finish::kStop);
  if (result_.tokens == max_tokens_) return end(Finish::kLength);
  if (position_ == place_.context) end(Finish::kContextFull);
}

void Generation::show(std::string_view text) { result_.text += text; }

std::string Generation::take_text() {
  std::string text = result_.text.substr(shown_);
  shown_ = result_.text.size();
  return text;
}

void Generation::end(Finish reason) {
  finish(reason);
  show(stops_.push(stream_.flush()));
  if (!stops_.stopped()) show(stops_.flush());
}

void Generation::finish(Finish reason) {
  result_.finish = reason;
  done_ = true;
}

}  // namespace enm::pipeline
