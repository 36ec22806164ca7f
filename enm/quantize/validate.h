// How far a quantized model is from the one it came from.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "enm/pipeline/session.h"

namespace enm::quantize {

/// How a text becomes scored windows. Perplexities of different ones do not compare.
struct Protocol {
  enum class Kind : uint8_t {
    kWindows,   // windows that do not overlap, every token but the first is scored
    kGptq,      // the same with 2048 tokens, as GPTQ's, AWQ's and SparseGPT's papers have it
    kLlamaCpp,  // 512 tokens, the first replaced by the beginning-of-text token of models that have
                // one, the second half scored
  };
  Kind kind = Kind::kWindows;
  int64_t length = 512;  // of kWindows
  int64_t most = 0;      // windows at most; 0 for all
};

struct Comparison {
  std::string protocol;  // "windows of 512 tokens", ...
  int64_t windows = 0, tokens = 0;
  double before = 0, after = 0;  // perplexities
  double kl = 0;                 // mean over tokens of KL(original || quantized), in nats
  double top1 = 0;               // how often both think the same token likeliest
  std::optional<double> cosine, least_cosine;  // of embedders: mean and least over texts
};

using Told = std::function<Status(int64_t done, int64_t total)>;

/// Of decoders. kInvalidArgument for a text that is shorter than a window.
Result<Comparison> compare_texts(std::shared_ptr<const pipeline::Model> original,
                                 std::shared_ptr<const pipeline::Model> quantized,
                                 std::string_view text, const Protocol& protocol, ThreadPool& pool,
                                 const Told& told);

/// Of embedders, a vector a text.
Result<Comparison> compare_vectors(std::shared_ptr<const pipeline::Model> original,
                                   std::shared_ptr<const pipeline::Model> quantized,
                                   const std::vector<std::string>& texts, ThreadPool& pool);

}  // namespace enm::quantize
