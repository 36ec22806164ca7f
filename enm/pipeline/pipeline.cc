#include "enm/pipeline/pipeline.h"

#include <algorithm>
#include <cmath>

#include "enm/base/order.h"
#include "enm/pipeline/generation.h"
#include "enm/pipeline/model_folder.h"

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

Result<std::unique_ptr<Pipeline>> Pipeline::open(const FileSource& files,
                                                 const OpenOptions& options) {
  ENM_ASSIGN_OR_RETURN(const Isa isa, select_isa());
  ENM_ASSIGN_OR_RETURN(text::Tokenizer tokenizer, load_tokenizer(files));
  ENM_ASSIGN_OR_RETURN(graph::Graph graph, load_graph(files, options.model_file));
  std::unique_ptr<Pipeline> pipeline(new Pipeline(std::move(tokenizer)));
  if (options.pool == nullptr) pipeline->own_pool_ = std::make_unique<ThreadPool>(options.threads);
  ThreadPool& pool = options.pool != nullptr ? *options.pool : *pipeline->own_pool_;
  ENM_ASSIGN_OR_RETURN(pipeline->end_tokens_, load_end_tokens(files));
  if (runtime::Decoder::fits(graph)) {
    runtime::DecoderOptions decoder;
    decoder.context_length = options.context_length;
    decoder.all_logits = options.all_logits;
    decoder.isa = isa;
    ENM_ASSIGN_OR_RETURN(pipeline->decoder_,
                         runtime::Decoder::open(std::move(graph), decoder, pool));
  } else if (runtime::Encoder::fits(graph)) {
    ENM_ASSIGN_OR_RETURN(pipeline->encoder_, runtime::Encoder::open(std::move(graph), isa, pool));
  } else {
    return Unsupported(
        "this graph is neither a decoder (logits and past_key_values.N) nor an embedder ",
        "(sentence_embedding)");
  }
  return pipeline;
}

uint64_t Pipeline::weight_bytes() const {
  return decoder_ != nullptr ? decoder_->weight_bytes() : encoder_->weight_bytes();
}

Result<std::unique_ptr<Generation>> Pipeline::start(std::string_view prompt,
                                                    const GenerateOptions& options) {
  if (decoder_ == nullptr) return Unsupported("this model makes vectors, not text; use embed");
  ENM_RETURN_IF_ERROR(runtime::check(options.sampling));
  if (options.max_tokens < 0) return InvalidArgument("max_tokens is ", options.max_tokens);
  std::vector<int32_t> ids = tokenizer_.encode(prompt, true);
  // A model that was given nothing starts as at the beginning of a text.
  if (ids.empty() && !end_tokens_.empty()) ids.push_back(end_tokens_[0]);
  if (ids.empty()) return InvalidArgument("the prompt is empty");
  return std::make_unique<Generation>(*decoder_, tokenizer_, end_tokens_, std::move(ids), options);
}

Result<GenerateResult> Pipeline::generate(std::string_view prompt, const GenerateOptions& options,
                                          const Piece& piece,
                                          const std::function<void()>& prompt_done) {
  ENM_ASSIGN_OR_RETURN(const auto generation, start(prompt, options));
  while (!generation->done()) {
    const bool reading = generation->reading_prompt();
    ENM_ASSIGN_OR_RETURN(const std::string text, generation->step());
    if (reading && !generation->reading_prompt() && prompt_done) prompt_done();
    if (!text.empty() && !piece(text) && !generation->done()) generation->cancel();
  }
  return generation->result();
}

Result<std::vector<std::vector<float>>> Pipeline::embed(const std::vector<std::string>& texts) {
  if (encoder_ == nullptr) return Unsupported("this model makes text, not vectors; use run");
  int64_t longest = encoder_->max_length();
  if (tokenizer_.truncation() > 0 && (longest == 0 || tokenizer_.truncation() < longest)) {
    longest = tokenizer_.truncation();
  }
  std::vector<std::vector<int32_t>> ids;
  for (const std::string& text : texts) {
    ids.push_back(tokenizer_.encode(text, true));
    std::vector<int32_t>& sequence = ids.back();
    if (longest > 1 && static_cast<int64_t>(sequence.size()) > longest) {
      const int32_t last = sequence.back();  // the closing special token stays
      sequence.resize(static_cast<size_t>(longest));
      sequence.back() = last;
    }
  }
  const auto order = sorted_order(static_cast<uint32_t>(texts.size()), [&](uint32_t a, uint32_t b) {
    return ids[a].size() < ids[b].size();
  });
  std::vector<std::vector<float>> out(texts.size());
  for (size_t begin = 0; begin < order.size(); begin += encoder_->max_batch()) {
    const size_t end = std::min(begin + encoder_->max_batch(), order.size());
    std::vector<std::vector<int32_t>> batch;
    for (size_t i = begin; i < end; ++i) batch.push_back(ids[order[i]]);
    ENM_ASSIGN_OR_RETURN(auto vectors, encoder_->embed(batch));
    for (size_t i = begin; i < end; ++i) out[order[i]] = std::move(vectors[i - begin]);
  }
  return out;
}

namespace {

// -log softmax(logits)[token]
double negative_log_likelihood(const float* logits, int64_t vocab, int32_t token) {
  const float largest = *std::max_element(logits, logits + vocab);
  double total = 0;
  for (int64_t i = 0; i < vocab; ++i) total += std::exp(static_cast<double>(logits[i] - largest));
  return std::log(total) - static_cast<double>(logits[token] - largest);
}

}  // namespace

Result<Perplexity> Pipeline::perplexity(
    std::string_view text, int64_t window, int64_t max_windows,
    const std::function<Status(int64_t done, int64_t total)>& progress) {
  if (decoder_ == nullptr) return Unsupported("perplexity needs a language model");
  if (window < 2 || window > decoder_->context_length()) {
    return InvalidArgument("windows of ", window, " tokens; expected 2 to ",
                           decoder_->context_length());
  }
  const std::vector<int32_t> ids = tokenizer_.encode(text, false);
  int64_t windows = static_cast<int64_t>(ids.size()) / window;
  if (max_windows > 0) windows = std::min(windows, max_windows);
  if (windows == 0) {
    return InvalidArgument("the text has ", ids.size(), " tokens; one window takes ", window);
  }
  double total = 0;
  int64_t scored = 0;
  for (int64_t w = 0; w < windows; ++w) {
    const std::span<const int32_t> tokens(ids.data() + w * window, static_cast<size_t>(window));
    decoder_->truncate(0);
    decoder_->set_logits_sink([&](int64_t first, int64_t count, const float* logits) {
      for (int64_t i = 0; i < count && first + i + 1 < window; ++i) {
        total += negative_log_likelihood(logits + i * decoder_->vocab(), decoder_->vocab(),
                                         tokens[static_cast<size_t>(first + i + 1)]);
        ++scored;
      }
      return Status();
    });
    const Status status = decoder_->append(tokens);
    decoder_->set_logits_sink({});
    ENM_RETURN_IF_ERROR(status);
    if (progress) ENM_RETURN_IF_ERROR(progress(w + 1, windows));
  }
  if (scored == 0) return Internal("no logits were scored; was the model opened with all_logits?");
  return Perplexity{std::exp(total / static_cast<double>(scored)), scored, windows};
}

}  // namespace enm::pipeline
