#include "enm/runtime/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace enm::runtime {

Status check(const SamplingOptions& options) {
  const auto refuse = [](const char* name, float value, const char* expected) {
    return InvalidArgument(name, " is ", value, "; expected ", expected);
  };
  if (!(options.temperature >= 0 && options.temperature <= 100)) {
    return refuse("temperature", options.temperature, "0 to 100");
  }
  if (options.top_k < 0) return InvalidArgument("top_k is ", options.top_k, "; expected 0 or more");
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    return refuse("top_p", options.top_p, "more than 0 and at most 1");
  }
  if (!(options.min_p >= 0 && options.min_p < 1))
    return refuse("min_p", options.min_p, "0 to below 1");
  if (!(options.repetition_penalty > 0 && options.repetition_penalty <= 10)) {
    return refuse("repetition_penalty", options.repetition_penalty, "more than 0, at most 10");
  }
  return {};
}

Sampler::Sampler(const SamplingOptions& options, int64_t vocab)
    : options_(options), seen_(static_cast<size_t>(vocab), 0), state_(options.seed) {
  candidates_.reserve(static_cast<size_t>(vocab));
  uniform();
  state_ += options.seed;
  uniform();
}

// PCG32, www.pcg-random.org: 24 bits of it as a float in [0, 1).
float Sampler::uniform() {
  const uint64_t old = state_;
  state_ = old * 6364136223846793005u + 1442695040888963407u;
  const auto shifted = static_cast<uint32_t>(((old >> 18) ^ old) >> 27);
  const uint32_t bits = std::rotr(shifted, static_cast<int>(old >> 59));
  return static_cast<float>(bits >> 8) * 0x1p-24f;
}

void Sampler::saw(int32_t token) {
  if (token >= 0 && static_cast<size_t>(token) < seen_.size())
    seen_[static_cast<size_t>(token)] = 1;
}

float Sampler::penalized(std::span<const float> logits, size_t token) const {
  const float logit = logits[token];
  if (seen_[token] == 0 || options_.repetition_penalty == 1) return logit;
  return logit > 0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
}

namespace {

// Calls `take` with each token that may be chosen, in rising order.
template <typename Take>
void for_each_allowed(size_t tokens, std::span<const uint32_t> allowed, const Take& take) {
  if (allowed.empty()) {
    for (size_t token = 0; token < tokens; ++token) take(token);
  }
  for (size_t i = 0; i < allowed.size(); ++i) {
    for (uint32_t bits = allowed[i]; bits != 0; bits &= bits - 1) {
      take(i * 32 + static_cast<size_t>(std::countr_zero(bits)));
    }
  }
}

}  // namespace

int32_t Sampler::greedy(std::span<const float> logits, std::span<const uint32_t> allowed) const {
  size_t best = logits.size();
  float best_logit = 0;
  for_each_allowed(logits.size(), allowed, [&](size_t token) {
    const float logit = penalized(logits, token);
    if (best == logits.size() || logit > best_logit) {
      best = token;
      best_logit = logit;
    }
  });
  return static_cast<int32_t>(best);
}

int32_t Sampler::sample(std::span<const float> logits, std::span<const uint32_t> allowed) {
  if (options_.temperature == 0) return greedy(logits, allowed);
  candidates_.clear();
  for_each_allowed(logits.size(), allowed, [&](size_t token) {
    candidates_.push_back(
        {penalized(logits, token) / options_.temperature, static_cast<int32_t>(token)});
  });
  // Ties go to the smaller token, so that the order does not depend on the sorting.
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
  };
  if (options_.top_k > 0 && static_cast<size_t>(options_.top_k) < candidates_.size()) {
    std::nth_element(candidates_.begin(), candidates_.begin() + options_.top_k, candidates_.end(),
                     likelier);
    candidates_.resize(static_cast<size_t>(options_.top_k));
  }
  std::sort(candidates_.begin(), candidates_.end(), likelier);
  const float largest = candidates_[0].logit;
  float total = 0;
  for (Candidate& candidate : candidates_) {
    candidate.logit = std::exp(candidate.logit - largest);  // a weight from here on
    total += candidate.logit;
  }
  // The first has weight 1, so min_p is a bound on weights; top_p is one on their running sum.
  size_t kept = 0;
  float kept_total = 0;
  while (kept < candidates_.size()) {
    if (kept > 0 &&
        (kept_total >= options_.top_p * total || candidates_[kept].logit < options_.min_p))
      break;
    kept_total += candidates_[kept++].logit;
  }
  float left = uniform() * kept_total;
  for (size_t i = 0; i + 1 < kept; ++i) {
    left -= candidates_[i].logit;
    if (left < 0) return candidates_[i].token;
  }
  return candidates_[kept - 1].token;
}

}  // namespace enm::runtime
