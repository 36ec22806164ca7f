#include "enm/runtime/logprobs.h"

#include <algorithm>
#include <cmath>

namespace enm::runtime {

double log_sum_exp(std::span<const float> logits) {
  const float largest = *std::ranges::max_element(logits);
  double total = 0;
  for (float logit : logits) total += std::exp(static_cast<double>(logit - largest));
  // A float's logarithm and a step of Newton's: the double's own is four kilobytes of tables.
  const double near = static_cast<double>(std::log(static_cast<float>(total)));
  return near + (total * std::exp(-near) - 1) + static_cast<double>(largest);
}

std::vector<int32_t> likeliest(std::span<const float> logits, size_t count) {
  std::vector<int32_t> best;
  const auto logit = [&](int32_t token) { return logits[static_cast<size_t>(token)]; };
  for (size_t token = 0; token < logits.size(); ++token) {
    if (best.size() == count && (count == 0 || !(logits[token] > logit(best.back())))) continue;
    const auto place = std::ranges::upper_bound(best, logits[token], std::greater(), logit);
    best.insert(place, static_cast<int32_t>(token));
    if (best.size() > count) best.pop_back();
  }
  return best;
}

}  // namespace enm::runtime
