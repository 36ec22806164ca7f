#include "enm/kernels/check.h"
#include "enm/kernels/norm/norm.h"

namespace enm::kernels {
namespace {

enum Option { kSkip = 1, kBias = 2, kSum = 4, kCenter = 8, kAll = 16 };

struct Rows {
  int64_t count, width;
  int options;
  Guarded<float> x, skip, bias, gamma, beta;

  Rows(int64_t rows, int64_t row_width, int row_options, CheckRandom& random)
      : count(rows),
        width(row_width),
        options(row_options),
        x(rows * width, 1),
        skip(rows * width),
        bias(width, 2),
        gamma(width),
        beta(width, 3) {
    for (Guarded<float>* values : {&x, &skip, &bias, &gamma, &beta}) {
      fill(random, values->all(), -3, 5);
    }
  }

  void run(Isa isa, ThreadPool& pool, Guarded<float>& y, Guarded<float>& sum) const {
    const bool center = (options & kCenter) != 0;
    const auto row_kernel = center ? norm_kernels(isa).layer_norm : norm_kernels(isa).rms_norm;
    pool.parallel_for(count, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t at = row * width;
        row_kernel({x.data() + at, options & kSkip ? skip.data() + at : nullptr,
                    options & kBias ? bias.data() : nullptr, gamma.data(),
                    center ? beta.data() : nullptr, y.data() + at,
                    options & kSum ? sum.data() + at : nullptr, width, 1e-5f});
      }
    });
  }
};

const Check check("norm", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  CheckRandom random(2);
  for (int64_t width = 1; width <= 2 * 16 + 1; ++width) {
    for (int options = 0; options < kAll; ++options) {
      const Rows rows(3, width, options, random);
      const int64_t size = rows.count * width;
      Guarded<float> y(size, 1), sum(size), expected(size, 1), expected_sum(size);
      rows.run(Isa::kScalar, pool, expected, expected_sum);
      rows.run(isa, pool, y, sum);
      // A row of one element has variance 0: whatever the rounding of its mean is gets multiplied.
      compare(report, y, expected, width == 1 ? 2e-3f : 5e-5f, "norm");
      if (options & kSum) compare(report, sum, expected_sum, 1e-6f, "norm sum");
    }
  }
});

}  // namespace
}  // namespace enm::kernels
