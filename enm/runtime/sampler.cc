#include "enm/runtime/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

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
  float largest = -std::numeric_limits<float>::infinity();
  for_each_allowed(logits.size(), allowed, [&](size_t token) {
    const float logit = penalized(logits, token) / options_.temperature;
    largest = std::max(largest, logit);
    candidates_.push_back({logit, static_cast<int32_t>(token)});
  });
  float total = 0;
  for (Candidate& each : candidates_) total += each.weight = std::exp(each.weight - largest);
  // A heap gives out the likeliest, to the back and as many as are asked for. Ties go to the
  // smaller token, so that the order does not depend on the heap.
  const auto below = [](const Candidate& a, const Candidate& b) {
    return a.weight != b.weight ? a.weight < b.weight : a.token > b.token;
  };
  size_t most = candidates_.size();
  if (options_.top_k > 0) most = std::min(most, static_cast<size_t>(options_.top_k));
  const bool all = most == candidates_.size() && options_.top_p == 1 && options_.min_p == 0;
  if (!all) std::make_heap(candidates_.begin(), candidates_.end(), below);
  auto heap_end = candidates_.end();
  const auto likeliest = [&](size_t i) {
    if (all) return candidates_[i];  // in any order
    const auto wanted = candidates_.end() - static_cast<std::ptrdiff_t>(i) - 1;
    while (heap_end > wanted) std::pop_heap(candidates_.begin(), heap_end--, below);
    return *wanted;
  };
  if (most < candidates_.size()) {
    total = 0;
    for (size_t i = 0; i < most; ++i) total += likeliest(i).weight;
  }
  // The first has weight 1, so min_p is a bound on weights; top_p is one on their running sum.
  size_t kept = all ? most : 0;
  float kept_total = all ? total : 0;
  while (kept < most) {
    const float weight = likeliest(kept).weight;
    if (kept > 0 && (kept_total >= options_.top_p * total || weight < options_.min_p)) break;
    kept_total += weight;
    ++kept;
  }
  float left = uniform() * kept_total;
  for (size_t i = 0; i + 1 < kept; ++i) {
    left -= likeliest(i).weight;
    if (left < 0) return likeliest(i).token;
  }
  return likeliest(kept - 1).token;
}

}  // namespace enm::runtime
