#include "enm/kernels/check.h"

#include "enm/kernels/activation/activation.h"
#include "enm/kernels/attention/attention.h"
#include "enm/kernels/matmul_f32/matmul_f32.h"
#include "enm/kernels/norm/norm.h"

namespace enm::kernels {

void CheckReport::fail(std::string_view where, int64_t index, double got, double expected) {
  if (!failure_.empty()) return;
  failure_ = cat(where, " at ", index, ": got ", got, ", expected ", expected);
}

extern const Check kMatmulInt8Checks[2];
extern const Check kMatmulNbitsChecks[3];

namespace {

void fill(CheckRandom& random, Guarded<float>& values, float low, float high) {
  for (int64_t i = 0; i < values.size(); ++i) values[i] = random.uniform(low, high);
}

void compare(CheckReport& report, const Guarded<float>& got, const Guarded<float>& expected,
             float tolerance, std::string_view where) {
  report.equal(got.guard_intact(), true, where, -1);
  for (int64_t i = 0; i < got.size(); ++i) report.near(got[i], expected[i], tolerance, where, i);
}

void check_matmul_f32(Isa isa, CheckReport& report) {
  CheckRandom random(1);
  for (int64_t m : {1, 5, 6, 13}) {
    for (int64_t n : {1, 15, 16, 33}) {
      for (int64_t k : {1, 7, 64}) {
        Guarded<float> a(m * k, 1), b(k * n, 3), bias(n, 1);
        Guarded<float> panels(static_cast<int64_t>(packed_floats(n, k)));
        Guarded<float> expected(m * n, 1), got(m * n, 1);
        fill(random, a, -1, 1);
        fill(random, b, -1, 1);
        fill(random, bias, -1, 1);
        pack_f32(b.data(), n, k, 1, n, 0, panel_count(n), panels.data());
        ThreadPool pool(1);
        MatmulF32Args args = {a.data(), panels.data(), expected.data(), bias.data(), m, n, k, k, n};
        matmul_f32(matmul_f32_kernels(Isa::kScalar), pool, args);
        args.y = got.data();
        matmul_f32(matmul_f32_kernels(isa), pool, args);
        compare(report, got, expected, 2e-6f * static_cast<float>(k), "matmul_f32");
        for (int64_t i = 0; i < m * n; ++i) {  // the packing, against B as it stands
          float sum = bias[i % n];
          for (int64_t j = 0; j < k; ++j) sum += a[i / n * k + j] * b[j * n + i % n];
          report.near(got[i], sum, 2e-6f * static_cast<float>(k), "unpacked", i);
        }
      }
    }
  }
}

void check_norm(Isa isa, CheckReport& report) {
  CheckRandom random(2);
  for (int64_t width = 1; width <= 2 * 16 + 1; ++width) {
    for (int options = 0; options < 16; ++options) {
      Guarded<float> x(width, 1), skip(width), bias(width, 2), gamma(width), beta(width, 3);
      Guarded<float> y(width, 1), sum(width), y2(width, 1), sum2(width);
      for (Guarded<float>* values : {&x, &skip, &bias, &gamma, &beta}) fill(random, *values, -3, 5);
      const bool center = (options & 8) != 0;
      NormArgs row = {x.data(),
                      options & 1 ? skip.data() : nullptr,
                      options & 2 ? bias.data() : nullptr,
                      gamma.data(),
                      center ? beta.data() : nullptr,
                      y.data(),
                      options & 4 ? sum.data() : nullptr,
                      width,
                      1e-5f};
      const auto run = [&](Isa which, const NormArgs& args) {
        const NormKernels& kernels = norm_kernels(which);
        (center ? kernels.layer_norm : kernels.rms_norm)(args);
      };
      run(Isa::kScalar, row);
      row.y = y2.data();
      if (row.sum != nullptr) row.sum = sum2.data();
      run(isa, row);
      // A row of one element has variance 0: whatever the rounding of its mean is gets multiplied.
      compare(report, y2, y, width == 1 ? 2e-3f : 5e-5f, "norm");
      if (row.sum != nullptr) compare(report, sum2, sum, 1e-6f, "norm sum");
    }
  }
}

void check_activation(Isa isa, CheckReport& report) {
  using Function = ActivationKernels::Function ActivationKernels::*;
  constexpr Function kFunctions[] = {&ActivationKernels::gelu,    &ActivationKernels::gelu_tanh,
                                     &ActivationKernels::sigmoid, &ActivationKernels::tanh,
                                     &ActivationKernels::erf,     &ActivationKernels::exp};
  CheckRandom random(3);
  for (Function function : kFunctions) {
    for (int64_t n : {1, 15, 16, 17, 33, 5000}) {
      Guarded<float> x(n, 1), y(n, 2), y2(n, 3);
      fill(random, x, -12, 12);
      x[0] = std::nanf("");
      if (n > 4) {
        x[1] = 0;
        x[2] = 80;
        x[3] = -80;
      }
      (activation_kernels(Isa::kScalar).*function)(x.data(), y.data(), n);
      (activation_kernels(isa).*function)(x.data(), y2.data(), n);
      report.equal(y2.guard_intact(), true, "activation", -1);
      for (int64_t i = 0; i < n; ++i) {
        report.near(y2[i], y[i], 1e-6f * (1 + std::fabs(x[i]) + std::fabs(y[i])), "activation", i);
      }
    }
  }
}

}  // namespace

std::span<const Check> all_checks() {
  static const std::vector<Check> checks = {
      kMatmulNbitsChecks[0],          kMatmulNbitsChecks[1],
      kMatmulNbitsChecks[2],          kMatmulInt8Checks[0],
      kMatmulInt8Checks[1],           {"matmul_f32", check_matmul_f32},
      {"norm", check_norm},           {"activation", check_activation},
  };
  return checks;
}

}  // namespace enm::kernels
