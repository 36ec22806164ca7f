#include <cmath>

#include "enm/base/half.h"
#include "enm/kernels/check.h"
#include "enm/kernels/error_feedback/error_feedback.h"

namespace enm::kernels {
namespace {

constexpr int64_t kLanes = 16;

// A rounding that falls the other way changes all that follow, so results are held to what they
// must be of each other, and their cost to the reference's.
void check_case(int64_t count, int64_t block, int levels, bool symmetric, Isa isa,
                CheckReport& report) {
  CheckRandom random(static_cast<uint64_t>(count * 7919 + block * 31 + levels));
  const int64_t groups = (count + block - 1) / block;
  Guarded<float> w(count * kLanes), factor(count * count), s(count * kLanes), e(count * kLanes);
  Guarded<float> scales(groups * kLanes), zeros(groups * kLanes), cost(kLanes), expected(kLanes);
  Guarded<uint8_t> q(count * kLanes);
  Guarded<int32_t> group(count);
  fill(random, w.all(), -1, 1);
  fill(random, factor.all(), -0.1f, 0.1f);
  for (int64_t c = 0; c < count; ++c) {
    factor[c * count + c] = 1.0f + 0.5f * w[c];
    group[c] = static_cast<int32_t>(c / block);
  }
  ErrorFeedbackArgs args{count,        w.data(),      s.data(),     e.data(),
                         q.data(),     factor.data(), group.data(), scales.data(),
                         zeros.data(), levels,        symmetric};
  double total[2] = {};
  for (int round = 0; round < 2; ++round) {
    for (float& x : s.all()) x = 0;
    Guarded<float>& costs = round == 0 ? expected : cost;
    for (float& x : costs.all()) x = 0;
    args.cost = costs.data();
    error_feedback_kernels(round == 0 ? Isa::kScalar : isa).round(args);
    for (float x : costs.all()) total[round] += static_cast<double>(x);
    for (int64_t i = 0; i < count * kLanes; ++i) {
      const int64_t at = group[i / kLanes] * kLanes + i % kLanes;
      report.near(e[i], w[i] - (static_cast<float>(q[i]) - zeros[at]) * scales[at], 1e-5f, "e", i);
      report.near(scales[at], half_to_float(float_to_half(scales[at])), 0, "half", i);
      report.equal(q[i] < levels, 1, "level", i);
    }
  }
  constexpr double kNothing = 5e-5;  // one column fits exactly, but for its scale's rounding
  report.near(static_cast<float>((total[1] + kNothing) / (total[0] + kNothing)), 1, 0.05f, "cost",
              count);
}

const Check check("error_feedback", [](Isa isa, ThreadPool&, CheckReport& report) {
  for (int64_t count : {1, 33, 128}) {
    for (int64_t block : {16, 32}) {
      for (int levels : {4, 16, 256}) {
        for (bool symmetric : {true, false}) {
          check_case(count, block, levels, symmetric, isa, report);
        }
      }
    }
  }
});

}  // namespace
}  // namespace enm::kernels
