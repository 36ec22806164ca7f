#include "enm/formats/gguf_fit.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "enm/formats/gguf_types.h"

namespace enm::formats {
namespace {

// Σ w x q and Σ w q^2 of a choice of quants.
struct Products {
  float xq = 0;
  float qq = 0;

  void add(float weight, float x, int quant) {
    const auto q = static_cast<float>(quant);
    xq += weight * x * q;
    qq += weight * q * q;
  }
  bool is_better_than(const Products& other) const {
    return xq * xq * other.qq > other.xq * other.xq * qq;
  }
};

float squared_error(std::span<const float> x, const float* importance, const uint8_t* quants,
                    float scale, float shift) {
  float error = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const float difference = scale * static_cast<float>(quants[i]) + shift - x[i];
    error += importance[i] * (difference * difference);
  }
  return error;
}

// Rounds that move one quant at a time while that makes the fit better.
void improve(int most, std::span<const float> x, const float* importance, Products sums,
             uint8_t* quants, float& scale) {
  constexpr int kRounds = 5;
  for (int round = 0; round < kRounds; ++round) {
    bool changed = false;
    for (size_t i = 0; i < x.size(); ++i) {
      const float w = importance[i];
      Products without = sums;
      const auto old = static_cast<float>(quants[i]);
      without.xq -= w * x[i] * old;
      without.qq -= w * old * old;
      if (!(without.xq > 0 && without.qq > 0)) continue;
      const int quant = std::min(most, nearest_ggml(x[i] * without.qq / without.xq));
      if (quant == quants[i]) continue;
      without.add(w, x[i], quant);
      if (!without.is_better_than(sums)) continue;
      quants[i] = static_cast<uint8_t>(quant);
      sums = without;
      changed = true;
    }
    if (!changed) break;
  }
  scale = sums.qq > 0 ? sums.xq / sums.qq : 0.0f;
}

}  // namespace

int nearest_ggml(float value) {
  // 1.5 * 2^23 leaves the integer in the low bits of the fraction.
  const auto bits = std::bit_cast<uint32_t>(value + 12582912.0f);
  return static_cast<int>(bits & 0x007fffffu) - 0x00400000;
}

float fit_symmetric(int middle, std::span<const float> x, const float* importance,
                    uint8_t* quants) {
  float extreme = 0;
  for (const float value : x) {
    if (std::fabs(value) > std::fabs(extreme)) extreme = value;
  }
  std::fill_n(quants, x.size(), uint8_t{0});
  if (std::fabs(extreme) < kGgmlNothing) return 0;
  const auto quant_of = [&](float inverse, float value) {
    return std::clamp(nearest_ggml(inverse * value), -middle, middle - 1);
  };
  float scale = 0;
  float best = 0;
  constexpr int kTries = 9;
  for (int attempt = 0; attempt <= 2 * kTries; ++attempt) {
    // 0, -9 to -1, 1 to 9
    const int shift = attempt == 0        ? 0
                      : attempt <= kTries ? attempt - kTries - 1
                                          : attempt - kTries;
    const float inverse =
        -(static_cast<float>(middle) + 0.1f * static_cast<float>(shift)) / extreme;
    Products sums;
    for (size_t i = 0; i < x.size(); ++i) {
      sums.add(importance != nullptr ? importance[i] : x[i] * x[i], x[i], quant_of(inverse, x[i]));
    }
    if (attempt > 0 && !(sums.qq > 0 && sums.xq * sums.xq > best * sums.qq)) continue;
    for (size_t i = 0; i < x.size(); ++i) {
      quants[i] = static_cast<uint8_t>(quant_of(inverse, x[i]) + middle);
    }
    scale = sums.qq != 0 ? sums.xq / sums.qq : 0.0f;
    best = scale * sums.xq;
  }
  return scale;
}

MinimumFit fit_with_minimum(int most, std::span<const float> x, const float* importance,
                            const FitSearch& search, uint8_t* quants) {
  float least = x[0];
  float largest = x[0];
  float sum_w = importance[0];
  float sum_x = sum_w * x[0];
  for (size_t i = 1; i < x.size(); ++i) {
    least = std::min(least, x[i]);
    largest = std::max(largest, x[i]);
    sum_w += importance[i];
    sum_x += importance[i] * x[i];
  }
  least = std::min(least, 0.0f);
  std::fill_n(quants, x.size(), uint8_t{0});
  if (largest <= least) return {0, -least};
  MinimumFit best = {0, least};  // the minimum by its own sign until the end
  const auto put_quants = [&](float inverse, uint8_t* out) {
    for (size_t i = 0; i < x.size(); ++i) {
      const int quant = nearest_ggml(inverse * (x[i] - best.minimum));
      out[i] = static_cast<uint8_t>(std::clamp(quant, 0, most));
    }
  };
  const float inverse = static_cast<float>(most) / (largest - least);
  best.scale = 1 / inverse;
  put_quants(inverse, quants);
  float best_error = squared_error(x, importance, quants, best.scale, best.minimum);
  uint8_t tried[kMostGgmlBlock];
  for (int step = 0; step <= search.count; ++step) {
    const float levels =
        search.first + search.step * static_cast<float>(step) + static_cast<float>(most);
    put_quants(levels / (largest - best.minimum), tried);
    float sum_q = 0;
    Products sums;
    for (size_t i = 0; i < x.size(); ++i) {
      const auto q = static_cast<float>(tried[i]);
      sum_q += importance[i] * q;
      sums.qq += importance[i] * q * q;
      sums.xq += importance[i] * q * x[i];
    }
    const float determinant = sum_w * sums.qq - sum_q * sum_q;
    if (!(determinant > 0)) continue;
    float scale = (sum_w * sums.xq - sum_x * sum_q) / determinant;
    float shift = (sums.qq * sum_x - sum_q * sums.xq) / determinant;
    if (shift > 0) {
      shift = 0;
      scale = sums.xq / sums.qq;
    }
    const float error = squared_error(x, importance, tried, scale, shift);
    if (!(error < best_error)) continue;
    std::copy_n(tried, x.size(), quants);
    best_error = error;
    best = {scale, shift};
  }
  return {best.scale, -best.minimum};
}

float fit_positive(int most, std::span<const float> x, const float* importance, uint8_t* quants) {
  float largest = 0;
  for (const float value : x) largest = std::max(largest, value);
  std::fill_n(quants, x.size(), uint8_t{0});
  if (largest < kGgmlNothing) return 0;
  constexpr int kTries = 4;
  float best_inverse = 0;
  float best_error = 0;
  for (int attempt = 0; attempt <= 2 * kTries; ++attempt) {
    const int shift = attempt == 0        ? 0
                      : attempt <= kTries ? attempt - kTries - 1
                                          : attempt - kTries;
    const float inverse = (0.1f * static_cast<float>(shift) + static_cast<float>(most)) / largest;
    const float scale = 1 / inverse;
    float error = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const int quant = std::min(most, nearest_ggml(inverse * x[i]));
      const float difference = x[i] - scale * static_cast<float>(quant);
      error += importance[i] * difference * difference;
    }
    if (attempt > 0 && !(error < best_error)) continue;
    best_error = error;
    best_inverse = inverse;
  }
  Products sums;
  for (size_t i = 0; i < x.size(); ++i) {
    const int quant = std::min(most, nearest_ggml(best_inverse * x[i]));
    quants[i] = static_cast<uint8_t>(quant);
    sums.add(importance[i], x[i], quant);
  }
  float scale = 0;
  improve(most, x, importance, sums, quants, scale);
  return scale;
}

}  // namespace enm::formats
