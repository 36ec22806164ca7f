// Source: transformers, modeling_rope_utils.py
#include "enm/families/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace enm::families {
namespace {

using Kind = Rope::Kind;

// kLlama3: waves longer than the model's first context are stretched whole, those much shorter not
// at all.
float llama3_frequency(const Rope& rope, float frequency) {
  const double original = static_cast<double>(rope.original_positions);
  const double length = 2 * std::numbers::pi / frequency;
  const double longest = original / rope.low_frequency_factor;
  const double shortest = original / rope.high_frequency_factor;
  if (length < shortest) return frequency;
  const auto stretched = static_cast<float>(frequency / rope.factor);
  if (length > longest) return stretched;
  const auto kept = static_cast<float>((original / length - rope.low_frequency_factor) /
                                       (rope.high_frequency_factor - rope.low_frequency_factor));
  return (1 - kept) * stretched + kept * frequency;
}

// kYarn: the pairs that turn more than beta_fast times in the first context stay, those that turn
// less than beta_slow times are stretched, a ramp between.
struct YarnRamp {
  double low = 0, high = 1;

  YarnRamp() = default;
  YarnRamp(const Rope& rope, int64_t dim) {
    const auto pair_of = [&](double turns) {
      const double original = static_cast<double>(rope.original_positions);
      return static_cast<double>(dim) * std::log(original / (turns * 2 * std::numbers::pi)) /
             (2 * std::log(rope.theta));
    };
    low = pair_of(rope.beta_fast);
    high = pair_of(rope.beta_slow);
    if (rope.truncate) {
      low = std::floor(low);
      high = std::ceil(high);
    }
    low = std::max(low, 0.0);
    high = std::min(high, static_cast<double>(dim - 1));
    if (low == high) high += 0.001;
  }
  // How much of a pair is stretched.
  float at(int64_t pair) const {
    const auto ramp = static_cast<float>((static_cast<double>(pair) - low) / (high - low));
    return std::clamp(ramp, 0.0f, 1.0f);
  }
};

}  // namespace

int64_t rotary_pairs(const Rope& rope, int64_t head_dim) {
  return static_cast<int64_t>(rope.partial_factor * static_cast<double>(head_dim)) / 2;
}

Status check_rope(const Rope& rope, int64_t head_dim) {
  if (!(rope.theta > 1) || !(rope.partial_factor > 0 && rope.partial_factor <= 1) ||
      !(rope.factor > 0) || !(rope.attention_factor >= 0)) {
    return Corrupt("rotary positions: base ", rope.theta, ", partial factor ", rope.partial_factor,
                   ", factor ", rope.factor, " or attention factor ", rope.attention_factor,
                   " is out of range");
  }
  const bool stretched =
      rope.kind == Kind::kYarn || rope.kind == Kind::kLongRope || rope.kind == Kind::kLlama3;
  if (stretched && rope.original_positions < 2) {
    return Corrupt("rotary positions: original_max_position_embeddings is ",
                   rope.original_positions);
  }
  if (rope.kind == Kind::kLlama3 &&
      !(rope.low_frequency_factor > 0 && rope.high_frequency_factor > rope.low_frequency_factor)) {
    return Corrupt("rotary positions: low_freq_factor ", rope.low_frequency_factor,
                   " and high_freq_factor ", rope.high_frequency_factor, " are out of order");
  }
  if (rope.kind == Kind::kYarn && !(rope.beta_slow > 0 && rope.beta_fast > 0)) {
    return Corrupt("rotary positions: beta_fast ", rope.beta_fast, " and beta_slow ",
                   rope.beta_slow, " are out of range");
  }
  const auto pairs = static_cast<size_t>(rotary_pairs(rope, head_dim));
  if (pairs < 1)
    return Corrupt("rotary positions: heads of ", head_dim, " have no pair that turns");
  for (const auto* factors : {&rope.short_factors, &rope.long_factors, &rope.divisors}) {
    const bool needed = factors != &rope.divisors && rope.kind == Kind::kLongRope;
    if (factors->size() != pairs && (needed || !factors->empty())) {
      return Corrupt("rotary positions: ", factors->size(), " factors for ", pairs, " pairs");
    }
    for (double factor : *factors) {
      if (!(factor > 0)) return Corrupt("rotary positions: a factor is ", factor);
    }
  }
  return {};
}

std::vector<float> rotary_frequencies(const Rope& rope, int64_t head_dim, bool is_long) {
  const int64_t pairs = rotary_pairs(rope, head_dim);
  const int64_t dim = 2 * pairs;
  const YarnRamp ramp = rope.kind == Kind::kYarn ? YarnRamp(rope, dim) : YarnRamp();
  std::vector<float> out;
  for (int64_t i = 0; i < pairs; ++i) {
    const auto at = static_cast<size_t>(i);
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(dim);
    const float period = std::pow(static_cast<float>(rope.theta), exponent);
    float frequency = 1.0f / period;
    switch (rope.kind) {
      case Kind::kDefault:
      case Kind::kDynamic:
        break;
      case Kind::kLinear:
        frequency /= static_cast<float>(rope.factor);
        break;
      case Kind::kLlama3:
        frequency = llama3_frequency(rope, frequency);
        break;
      case Kind::kLongRope: {
        const auto& factors = is_long ? rope.long_factors : rope.short_factors;
        frequency = 1.0f / (static_cast<float>(factors[at]) * period);
        break;
      }
      case Kind::kYarn: {
        const float stretched = 1.0f / (static_cast<float>(rope.factor) * period);
        frequency = stretched * ramp.at(i) + frequency * (1 - ramp.at(i));
        break;
      }
    }
    if (!rope.divisors.empty()) frequency /= static_cast<float>(rope.divisors[at]);
    out.push_back(frequency);
  }
  return out;
}

float rotary_scale(const Rope& rope) {
  if (rope.attention_factor > 0) return static_cast<float>(rope.attention_factor);
  if (rope.factor <= 1) return 1;
  if (rope.kind == Kind::kYarn) return static_cast<float>(0.1 * std::log(rope.factor) + 1);
  if (rope.kind != Kind::kLongRope) return 1;
  const double original = static_cast<double>(rope.original_positions);
  return static_cast<float>(std::sqrt(1 + std::log(rope.factor) / std::log(original)));
}

void append_rotary_rows(const std::vector<float>& frequencies, float scale, int64_t rows,
                        RotaryTables& out) {
  for (int64_t position = 0; position < rows; ++position) {
    for (float frequency : frequencies) {
      const float angle = static_cast<float>(position) * frequency;
      out.cos.push_back(std::cos(angle) * scale);
      out.sin.push_back(std::sin(angle) * scale);
    }
  }
}

}  // namespace enm::families
