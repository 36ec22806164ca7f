#include "enm/pipeline/generation.h"

#include <algorithm>

namespace enm::pipeline {
namespace {

constexpr size_t kPromptStep = 128;  // tokens; the decoder takes as many in a pass

}  // namespace

Generation::Generation(runtime::Decoder& decoder, const text::Tokenizer& tokenizer,
                       const std::vector<int32_t>& end_tokens, std::vector<int32_t> prompt,
                       const GenerateOptions& options)
    : decoder_(decoder),
      end_tokens_(end_tokens),
      prompt_(std::move(prompt)),
      max_tokens_(options.max_tokens),
      sampler_(options.sampling, decoder.vocab()),
      stream_(tokenizer),
      stops_(options.stop) {
  result_.prompt_tokens = static_cast<int64_t>(prompt_.size());
  for (int32_t id : prompt_) sampler_.saw(id);
  decoder_.truncate(0);
}

Result<std::string> Generation::step() {
  if (done_) return std::string();
  if (reading_prompt()) {
    ENM_RETURN_IF_ERROR(read_prompt());
    return std::string();
  }
  if (result_.tokens == max_tokens_) return end(Finish::kLength);
  if (pending_ >= 0) {
    if (decoder_.position() == decoder_.context_length()) return end(Finish::kContextFull);
    ENM_RETURN_IF_ERROR(decoder_.append({&pending_, 1}));
  }
  pending_ = sampler_.sample(decoder_.logits());
  if (std::find(end_tokens_.begin(), end_tokens_.end(), pending_) != end_tokens_.end()) {
    return end(Finish::kStop);
  }
  return take(pending_);
}

Status Generation::read_prompt() {
  const auto room = static_cast<size_t>(decoder_.context_length());
  if (prompt_.size() > room) {
    return ResourceExhausted("prompt: ", prompt_.size(), " tokens; the context has room for ",
                             room);
  }
  const size_t count = std::min(kPromptStep, prompt_.size() - read_);
  ENM_RETURN_IF_ERROR(decoder_.append({prompt_.data() + read_, count}).in("prompt"));
  read_ += count;
  return Status();
}

std::string Generation::take(int32_t token) {
  sampler_.saw(token);
  ++result_.tokens;
  std::string text = stops_.push(stream_.push(token));
  result_.text += text;
  if (stops_.stopped()) finish(Finish::kStop);
  return text;
}

std::string Generation::end(Finish reason) {
  finish(reason);
  std::string tail = stops_.push(stream_.flush());
  if (!stops_.stopped()) tail += stops_.flush();
  result_.text += tail;
  return tail;
}

void Generation::finish(Finish reason) {
  result_.finish = reason;
  done_ = true;
}

}  // namespace enm::pipeline
