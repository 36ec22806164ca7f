#include <limits>

#include "enm/kernels/check.h"
#include "enm/kernels/quantize_linear/quantize_linear.h"

namespace enm::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void check_bytes(Guarded<float>& x, float scale, int32_t zero, Isa isa, ThreadPool& pool,
                 CheckReport& report) {
  const int64_t n = x.size();
  Guarded<uint8_t> expected(n, 3), y(n, 5);
  quantize_linear_kernels(Isa::kScalar).quantize(x.data(), n, scale, zero, expected.data());
  pool.parallel_for(n, 300, [&](int64_t begin, int64_t end, int) {
    quantize_linear_kernels(isa).quantize(x.data() + begin, end - begin, scale, zero,
                                          y.data() + begin);
  });
  report.equal(y.guard_intact(), true, "quantize guard", n);
  for (int64_t i = 0; i < n; ++i) report.equal(y[i], expected[i], "quantize", i);
}

void check_range(const Guarded<float>& x, float low, float high, Isa isa, CheckReport& report) {
  float expected[2] = {low, high};
  float got[2] = {low, high};
  quantize_linear_kernels(Isa::kScalar).range(x.data(), x.size(), &expected[0], &expected[1]);
  quantize_linear_kernels(isa).range(x.data(), x.size(), &got[0], &got[1]);
  report.near(got[0], expected[0], 0, "low", x.size());
  report.near(got[1], expected[1], 0, "high", x.size());
}

const Check check("quantize_linear", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  CheckRandom random(5);
  for (int64_t n : {0, 1, 15, 16, 17, 33, 1000}) {
    for (int32_t zero : {0, 37, 128, 255}) {
      Guarded<float> ties(n, 1), any(n, 2);
      for (float& x : ties.all()) x = static_cast<float>(random.integer(-700, 700)) * 0.125f;
      fill(random, any.all(), -3, 2);
      check_bytes(ties, 0.25f, zero, isa, pool, report);  // halves: ties must go to even
      check_bytes(any, 0.0173f, zero, isa, pool, report);
      check_range(any, 0, 0, isa, report);
      check_range(any, -5, 5, isa, report);  // nothing reaches that far
      if (n == 0) continue;
      any[n - 1] = kInfinity;
      any[n / 2] = -kInfinity;
      check_bytes(any, 0.0173f, zero, isa, pool, report);
      check_range(any, 0, 0, isa, report);
    }
  }
});

// 0 must stay 0, and the ends of the range must come back within half a step.
const Check parameters("quantize_linear/parameters", [](Isa isa, ThreadPool&, CheckReport& report) {
  CheckRandom random(6);
  for (int i = 0; i < 200; ++i) {
    const float low = i % 5 == 0 ? 0 : random.uniform(-10, 0);
    const float high = i % 7 == 0 ? 0 : random.uniform(0, 10);
    const QuantizeParameters made = choose_quantize_parameters(low, high);
    const float x[3] = {0, low, high};
    uint8_t y[3];
    quantize_linear_kernels(isa).quantize(x, 3, made.scale, made.zero, y);
    report.equal(y[0], made.zero, "zero", i);
    for (int j = 1; j < 3; ++j) {
      report.near(static_cast<float>(y[j] - made.zero) * made.scale, x[j], 0.51f * made.scale,
                  "end of the range", i);
    }
  }
  report.near(choose_quantize_parameters(0, 0).scale, 1, 0, "scale of nothing", 0);
});

}  // namespace
}  // namespace enm::kernels
