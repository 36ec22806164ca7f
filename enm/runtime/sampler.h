// Choosing the next token from logits. The same seed gives the same choices natively and in
// WebAssembly: the generator is PCG32 and every step is in a fixed order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "enm/base/status.h"

namespace enm::runtime {

struct SamplingOptions {
  float temperature = 0;         // 0: greedy, the rest is ignored but for the penalty
  int32_t top_k = 0;             // keep the k most likely; 0 for all
  float top_p = 1;               // keep the most likely whose probabilities reach p
  float min_p = 0;               // keep those at least min_p times as likely as the likeliest
  float repetition_penalty = 1;  // divides positive and multiplies negative logits of seen tokens
  uint64_t seed = 0;
};

/// kInvalidArgument naming the option that is out of range.
Status check(const SamplingOptions& options);

class Sampler {
 public:
  /// Makes room for `vocab` candidates: sample() allocates nothing.
  Sampler(const SamplingOptions& options, int64_t vocab);

  /// Marks a token as seen, for the repetition penalty (prompt tokens too).
  void saw(int32_t token);

  /// `allowed` has a bit for each token that may be chosen, the lowest first, and at least one;
  /// empty: all may. What is left out counts nowhere, as if its logit were -infinity.
  int32_t sample(std::span<const float> logits, std::span<const uint32_t> allowed = {});

 private:
  struct Candidate {
    float weight;  // in proportion to its probability
    int32_t token;
  };
  float uniform();
  int32_t greedy(std::span<const float> logits, std::span<const uint32_t> allowed) const;
  float penalized(std::span<const float> logits, size_t token) const;

  const SamplingOptions options_;
  std::vector<Candidate> candidates_;
  std::vector<uint8_t> seen_;
  uint64_t state_;
};

}  // namespace enm::runtime
