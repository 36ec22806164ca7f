// Logarithms of the probabilities that a model gives to tokens: log softmax of its logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace enm::runtime {

/// log(sum(exp(logits))); a token's log-probability is its logit less that.
double log_sum_exp(std::span<const float> logits);

/// The `count` likeliest tokens, likeliest first, of equal ones the smaller first.
std::vector<int32_t> likeliest(std::span<const float> logits, size_t count);

}  // namespace enm::runtime
