#include "enm/pipeline/session.h"

#include <algorithm>
#include <cmath>

#include "enm/base/order.h"
#include "enm/runtime/logprobs.h"
#include "enm/text/grammar/gbnf.h"
#include "enm/text/grammar/json_schema.h"

namespace enm::pipeline {

using runtime::Decoder;
using text::grammar::Constraint;

constexpr int32_t kMostLogprobs = 20;  // of tokens at a place

Result<std::unique_ptr<Session>> Session::open(std::shared_ptr<const Model> model,
                                               const SessionOptions& options, ThreadPool& pool) {
  std::unique_ptr<Session> session(new Session(std::move(model)));
  const Model& opened = *session->model_;
  if (opened.decoder() != nullptr) {
    ENM_ASSIGN_OR_RETURN(session->decoder_, Decoder::open(opened.decoder(),
                                                          {.context_length = options.context_length,
                                                           .sequences = options.sequences},
                                                          pool, opened.budget()));
    session->taken_.resize(static_cast<size_t>(options.sequences), false);
  } else {
    session->encoder_ = std::make_unique<runtime::Encoder>(opened.encoder(), pool, opened.budget());
  }
  return session;
}

Result<int> Session::free_sequence() const {
  const auto free = std::find(taken_.begin(), taken_.end(), false);
  if (free != taken_.end()) return static_cast<int>(free - taken_.begin());
  return ResourceExhausted("all ", taken_.size(), " sequences of the session are taken");
}

Result<std::shared_ptr<Constraint>> Session::constraint(const GenerateOptions& options) {
  const bool by_schema = !options.json_schema.is_null();
  if (!by_schema && options.grammar.empty()) return std::shared_ptr<Constraint>();
  if (by_schema && !options.grammar.empty()) {
    return InvalidArgument("a JSON schema and a grammar; expected one of the two");
  }
  const std::string source =
      by_schema ? cat("schema ", write_json(options.json_schema)) : options.grammar;
  if (constraint_ != nullptr && constraint_.use_count() == 1 && source == constraint_source_) {
    constraint_->restart();
    return constraint_;
  }
  ENM_ASSIGN_OR_RETURN(const auto grammar,
                       by_schema ? text::grammar::grammar_of_schema(options.json_schema)
                                 : text::grammar::parse_gbnf(options.grammar));
  ENM_ASSIGN_OR_RETURN(auto program, text::grammar::Program::compile(grammar));
  constraint_ = std::make_shared<Constraint>(std::move(program), model_->tokenizer(),
                                             model_->token_texts(), model_->end_tokens());
  constraint_source_ = source;
  return constraint_;
}

Result<std::unique_ptr<Generation>> Session::start(std::string_view prompt,
                                                   const GenerateOptions& options) {
  return start(model_->tokenizer().encode(prompt, true), options);
}

Result<std::unique_ptr<Generation>> Session::start(const text::Chat& chat,
                                                   const GenerateOptions& options) {
  if (!model_->chat_template().ok()) return model_->chat_template().status();
  ENM_ASSIGN_OR_RETURN(const std::string prompt, model_->chat_template()->render(chat));
  // The template writes the special tokens itself.
  return start(model_->tokenizer().encode(prompt, false), options);
}

Result<std::unique_ptr<Generation>> Session::start(std::vector<int32_t> ids,
                                                   const GenerateOptions& options) {
  if (decoder_ == nullptr) return Unsupported("this model makes vectors, not text; use embed");
  ENM_RETURN_IF_ERROR(runtime::check(options.sampling));
  if (options.max_tokens < 0) return InvalidArgument("max_tokens is ", options.max_tokens);
  // A model that was given nothing starts as at the beginning of a text.
  if (ids.empty() && !model_->end_tokens().empty()) ids.push_back(model_->end_tokens()[0]);
  if (ids.empty()) return InvalidArgument("the prompt is empty");
  const auto room = static_cast<size_t>(decoder_->context_length());
  if (ids.size() > room) {
    return ResourceExhausted("prompt: ", ids.size(), " tokens; the context has room for ", room);
  }
  if (options.logprobs > kMostLogprobs) {
    return InvalidArgument("logprobs is ", options.logprobs, "; expected at most ", kMostLogprobs);
  }
  ENM_ASSIGN_OR_RETURN(auto constraint, this->constraint(options));
  Generation::Place place;
  ENM_ASSIGN_OR_RETURN(place.sequence, free_sequence());
  place.cached = decoder_->reuse_prefix(place.sequence, ids);
  place.context = decoder_->context_length();
  place.chunk = decoder_->chunk();
  taken_[static_cast<size_t>(place.sequence)] = true;
  return std::make_unique<Generation>(
      model_->tokenizer(), model_->end_tokens(), std::move(ids), options, decoder_->vocab(), place,
      std::move(constraint),
      [this](int sequence) { taken_[static_cast<size_t>(sequence)] = false; });
}

Status Session::begin(std::span<Generation* const> generations) {
  in_pass_.clear();
  feeds_.clear();
  for (Generation* generation : generations) {
    const std::span<const int32_t> tokens = generation->next_tokens();
    if (tokens.empty()) continue;
    in_pass_.push_back(generation);
    feeds_.push_back(
        {generation->sequence(), tokens,
         generation->wants_logits() ? Decoder::Logits::kLast : Decoder::Logits::kNone});
  }
  return feeds_.empty() ? Status() : decoder_->begin(feeds_);
}

Status Session::finish() {
  if (in_pass_.empty()) return {};
  ENM_RETURN_IF_ERROR(decoder_->finish());
  Status first;
  for (size_t i = 0; i < in_pass_.size(); ++i) {
    const Status taken = in_pass_[i]->take(decoder_->logits(i));
    if (first.ok()) first = taken;
  }
  in_pass_.clear();
  return first;
}

Status Session::step(Generation& generation) {
  Generation* const one[] = {&generation};
  ENM_RETURN_IF_ERROR(begin(one));
  return finish();
}

Result<GenerateResult> Session::generate(std::string_view prompt, const GenerateOptions& options,
                                         const Piece& piece,
                                         const std::function<void()>& prompt_done) {
  return write(start(prompt, options), piece, prompt_done);
}

Result<GenerateResult> Session::generate(const text::Chat& chat, const GenerateOptions& options,
                                         const Piece& piece,
                                         const std::function<void()>& prompt_done) {
  return write(start(chat, options), piece, prompt_done);
}

Result<GenerateResult> Session::write(Result<std::unique_ptr<Generation>> started,
                                      const Piece& piece,
                                      const std::function<void()>& prompt_done) {
  ENM_ASSIGN_OR_RETURN(const auto generation, std::move(started));
  while (!generation->done()) {
    const bool reading = generation->reading_prompt();
    ENM_RETURN_IF_ERROR(step(*generation));
    if (reading && !generation->reading_prompt() && prompt_done) prompt_done();
    const std::string text = generation->take_text();
    if (!text.empty() && !piece(text)) generation->cancel();
  }
  return generation->result();
}

void Session::clear_cache() {
  for (int sequence = 0; sequence < static_cast<int>(taken_.size()); ++sequence) {
    if (!taken_[static_cast<size_t>(sequence)]) decoder_->truncate(sequence, 0);
  }
}

namespace {

// Matryoshka: the first dimensions of a vector are one of their own. Source: arXiv 2205.13147
Status shorten(const EmbedOptions& options, const graph::ModelDescription& description,
               std::vector<float>& vector) {
  if (options.dimensions == 0) return {};
  if (options.dimensions < 1 || options.dimensions > static_cast<int64_t>(vector.size())) {
    return InvalidArgument(options.dimensions, " dimensions; the model's vectors have ",
                           vector.size());
  }
  vector.resize(static_cast<size_t>(options.dimensions));
  if (!description.normalized) return {};
  double total = 0;
  for (float x : vector) total += static_cast<double>(x) * x;
  const auto length = static_cast<float>(std::sqrt(total));
  if (length > 0) std::ranges::for_each(vector, [&](float& x) { x /= length; });
  return {};
}

}  // namespace

Result<std::vector<std::vector<float>>> Session::embed(const std::vector<std::string>& texts,
                                                       const EmbedOptions& options) {
  if (encoder_ == nullptr) return Unsupported("this model makes text, not vectors; use run");
  std::string prefix;
  const std::string& prompt = options.prompt.empty() ? model_->prompts().usual : options.prompt;
  if (!prompt.empty()) {
    ENM_ASSIGN_OR_RETURN(prefix, model_->prompts().find(prompt));
  }
  int64_t longest = encoder_->program().max_length();
  if (model_->tokenizer().truncation() > 0 &&
      (longest == 0 || model_->tokenizer().truncation() < longest)) {
    longest = model_->tokenizer().truncation();
  }
  std::vector<std::vector<int32_t>> ids;
  for (const std::string& text : texts) {
    ids.push_back(model_->tokenizer().encode(prefix + text, true));
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
  for (size_t begin = 0; begin < order.size(); begin += encoder_->program().max_batch()) {
    const size_t end = std::min(begin + encoder_->program().max_batch(), order.size());
    std::vector<std::vector<int32_t>> batch;
    for (size_t i = begin; i < end; ++i) batch.push_back(ids[order[i]]);
    ENM_ASSIGN_OR_RETURN(auto vectors, encoder_->embed(batch));
    for (size_t i = begin; i < end; ++i) {
      ENM_RETURN_IF_ERROR(shorten(options, model_->description(), vectors[i - begin]));
      out[order[i]] = std::move(vectors[i - begin]);
    }
  }
  return out;
}

Result<Perplexity> Session::perplexity(
    std::string_view text, int64_t window, int64_t max_windows,
    const std::function<Status(int64_t done, int64_t total)>& progress) {
  if (decoder_ == nullptr) return Unsupported("perplexity needs a language model");
  if (window < 2 || window > decoder_->context_length()) {
    return InvalidArgument("windows of ", window, " tokens; expected 2 to ",
                           decoder_->context_length());
  }
  ENM_ASSIGN_OR_RETURN(const int sequence, free_sequence());
  const std::vector<int32_t> ids = model_->tokenizer().encode(text, false);
  int64_t windows = static_cast<int64_t>(ids.size()) / window;
  if (max_windows > 0) windows = std::min(windows, max_windows);
  if (windows == 0) {
    return InvalidArgument("the text has ", ids.size(), " tokens; one window takes ", window);
  }
  double total = 0;
  int64_t scored = 0;
  for (int64_t w = 0; w < windows; ++w) {
    const std::span<const int32_t> tokens(ids.data() + w * window, static_cast<size_t>(window));
    decoder_->truncate(sequence, 0);
    for (int64_t at = 0; at < window; at += decoder_->chunk()) {
      const int64_t count = std::min(decoder_->chunk(), window - at);
      const Decoder::Feed feed = {
          sequence, tokens.subspan(static_cast<size_t>(at), static_cast<size_t>(count)),
          Decoder::Logits::kAll};
      ENM_RETURN_IF_ERROR(decoder_->begin({&feed, 1}));
      ENM_RETURN_IF_ERROR(decoder_->finish());
      const auto vocab = static_cast<size_t>(decoder_->vocab());
      for (int64_t i = 0; i < count && at + i + 1 < window; ++i) {
        const auto logits = decoder_->logits().subspan(static_cast<size_t>(i) * vocab, vocab);
        const auto next = static_cast<size_t>(tokens[static_cast<size_t>(at + i + 1)]);
        total += runtime::log_sum_exp(logits) - static_cast<double>(logits[next]);
        ++scored;
      }
    }
    if (progress) ENM_RETURN_IF_ERROR(progress(w + 1, windows));
  }
  return Perplexity{std::exp(total / static_cast<double>(scored)), scored, windows};
}

}  // namespace enm::pipeline
