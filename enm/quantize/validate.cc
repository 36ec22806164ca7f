#include "enm/quantize/validate.h"

#include <algorithm>
#include <cmath>

#include "enm/runtime/logprobs.h"

namespace enm::quantize {
namespace {

using pipeline::Model;
using runtime::Decoder;

constexpr int64_t kGptqLength = 2048;
constexpr int64_t kLlamaCppLength = 512;

/// A protocol for one model: its windows and what is scored in them.
struct Scoring {
  std::string name;
  int64_t length = 0;
  int64_t first_scored = 1;  // position in a window
  int32_t beginning = -1;    // the token that replaces a window's first
};

Result<Scoring> scoring_of(const Protocol& protocol, const Model& model) {
  Scoring out;
  const int64_t limit = model.decoder()->context_limit();
  switch (protocol.kind) {
    case Protocol::Kind::kWindows:
      out.length = protocol.length;
      out.name = cat("windows of ", out.length, " tokens");
      break;
    case Protocol::Kind::kGptq:
      out.length = kGptqLength;
      out.name = "GPTQ's, windows of 2048 tokens";
      break;
    case Protocol::Kind::kLlamaCpp: {
      out.length = kLlamaCppLength;
      out.first_scored = out.length / 2 + 1;
      out.name = "llama.cpp's, second halves of 512 tokens";
      const std::vector<int32_t> with = model.tokenizer().encode("a", true);
      const std::vector<int32_t> without = model.tokenizer().encode("a", false);
      if (with.size() > without.size() && with[0] != without[0]) out.beginning = with[0];
      break;
    }
  }
  if (out.length < 2 || out.length > limit) {
    return InvalidArgument("windows of ", out.length, " tokens; the model takes 2 to ", limit);
  }
  return out;
}

// One model reading windows a chunk at a time.
class Reader {
 public:
  static Result<Reader> open(std::shared_ptr<const Model> model, int64_t length, ThreadPool& pool) {
    Reader out;
    out.model_ = std::move(model);
    ENM_ASSIGN_OR_RETURN(out.decoder_,
                         Decoder::open(out.model_->decoder(), {.context_length = length}, pool,
                                       out.model_->budget()));
    return out;
  }
  int64_t chunk() const { return decoder_->chunk(); }
  void start() { decoder_->truncate(0, 0); }
  Status read(std::span<const int32_t> tokens) {
    const Decoder::Feed feed = {0, tokens, Decoder::Logits::kAll};
    ENM_RETURN_IF_ERROR(decoder_->begin({&feed, 1}));
    return decoder_->finish();
  }
  std::span<const float> logits(int64_t at) const {
    const auto vocab = static_cast<size_t>(decoder_->vocab());
    return decoder_->logits().subspan(static_cast<size_t>(at) * vocab, vocab);
  }

 private:
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Decoder> decoder_;
};

struct Sums {
  double before = 0, after = 0, kl = 0;
  int64_t same = 0, tokens = 0;

  void add(std::span<const float> p, std::span<const float> q, int32_t next) {
    const double p_sum = runtime::log_sum_exp(p);
    const double q_sum = runtime::log_sum_exp(q);
    before += p_sum - static_cast<double>(p[static_cast<size_t>(next)]);
    after += q_sum - static_cast<double>(q[static_cast<size_t>(next)]);
    for (size_t i = 0; i < p.size(); ++i) {
      const double log_p = static_cast<double>(p[i]) - p_sum;
      kl += std::exp(log_p) * (log_p - static_cast<double>(q[i]) + q_sum);
    }
    const auto likeliest = [](std::span<const float> x) {
      return std::max_element(x.begin(), x.end()) - x.begin();
    };
    same += likeliest(p) == likeliest(q) ? 1 : 0;
    ++tokens;
  }
};

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : 0;
}

}  // namespace

Result<Comparison> compare_texts(std::shared_ptr<const Model> original,
                                 std::shared_ptr<const Model> quantized, std::string_view text,
                                 const Protocol& protocol, ThreadPool& pool, const Told& told) {
  ENM_ASSIGN_OR_RETURN(const Scoring scoring, scoring_of(protocol, *original));
  std::vector<int32_t> ids = original->tokenizer().encode(text, false);
  int64_t windows = static_cast<int64_t>(ids.size()) / scoring.length;
  if (windows == 0) {
    return InvalidArgument("the text has ", ids.size(), " tokens; a window takes ", scoring.length);
  }
  if (protocol.most > 0) windows = std::min(windows, protocol.most);
  ENM_ASSIGN_OR_RETURN(Reader before, Reader::open(std::move(original), scoring.length, pool));
  ENM_ASSIGN_OR_RETURN(Reader after, Reader::open(std::move(quantized), scoring.length, pool));
  const int64_t chunk = std::min(before.chunk(), after.chunk());
  Sums sums;
  for (int64_t w = 0; w < windows; ++w) {
    const std::span<int32_t> tokens(ids.data() + w * scoring.length,
                                    static_cast<size_t>(scoring.length));
    if (scoring.beginning >= 0) tokens[0] = scoring.beginning;
    before.start();
    after.start();
    for (int64_t at = 0; at < scoring.length; at += chunk) {
      const int64_t count = std::min(chunk, scoring.length - at);
      const auto part = tokens.subspan(static_cast<size_t>(at), static_cast<size_t>(count));
      ENM_RETURN_IF_ERROR(before.read(part));
      ENM_RETURN_IF_ERROR(after.read(part));
      for (int64_t i = 0; i < count; ++i) {
        const int64_t next = at + i + 1;
        if (next < scoring.first_scored || next >= scoring.length) continue;
        sums.add(before.logits(i), after.logits(i), tokens[static_cast<size_t>(next)]);
      }
    }
    if (told) ENM_RETURN_IF_ERROR(told(w + 1, windows));
  }
  const auto mean = [&](double total) { return total / static_cast<double>(sums.tokens); };
  return Comparison{scoring.name,
                    windows,
                    sums.tokens,
                    std::exp(mean(sums.before)),
                    std::exp(mean(sums.after)),
                    mean(sums.kl),
                    mean(static_cast<double>(sums.same)),
                    {},
                    {}};
}

Result<Comparison> compare_vectors(std::shared_ptr<const Model> original,
                                   std::shared_ptr<const Model> quantized,
                                   const std::vector<std::string>& texts, ThreadPool& pool) {
  if (texts.empty()) return InvalidArgument("there is no text");
  ENM_ASSIGN_OR_RETURN(const auto before, pipeline::Session::open(std::move(original), {}, pool));
  ENM_ASSIGN_OR_RETURN(const auto after, pipeline::Session::open(std::move(quantized), {}, pool));
  ENM_ASSIGN_OR_RETURN(const auto a, before->embed(texts, {}));
  ENM_ASSIGN_OR_RETURN(const auto b, after->embed(texts, {}));
  Comparison out;
  out.protocol = "vectors of texts";
  double total = 0;
  double least = 1;
  for (size_t i = 0; i < a.size(); ++i) {
    const double same = a[i].size() == b[i].size() ? cosine(a[i], b[i]) : 0;
    total += same;
    least = std::min(least, same);
  }
  out.windows = static_cast<int64_t>(a.size());
  out.cosine = total / static_cast<double>(a.size());
  out.least_cosine = least;
  return out;
}

}  // namespace enm::quantize
