// Every listed kernel against the scalar one, and the scalar one against the operator's formula.
#include "enm/kernels/check.h"
#include "enm/kernels/matmul_int8/matmul_int8.h"

namespace enm::kernels {
namespace {

struct Case {
  int64_t m, n, k;
  bool is_signed;
  int64_t zero_count;
  bool extreme;  // every product the largest there is: what saturation would spoil
};

struct Operands {
  Guarded<uint8_t> a, b, zeros;
  std::vector<float> scales, bias;
  Guarded<int8_t> quants;
  std::vector<int32_t> sums, packed_zeros, row_sums;
  MatmulInt8Args args;

  Operands(const Case& test, CheckRandom& random)
      : a(test.m * test.k, 1),
        b(test.n * test.k, 3),
        zeros(test.zero_count),
        quants(int8_tiles(test.n) * int8_tile_bytes(test.k)) {
    const auto padded = static_cast<size_t>(int8_tiles(test.n) * kInt8Tile);
    scales.resize(padded);
    bias.resize(static_cast<size_t>(test.n));
    sums.resize(padded);
    packed_zeros.resize(padded);
    row_sums.resize(static_cast<size_t>(test.m));
    for (int64_t i = 0; i < a.size(); ++i)
      a[i] = test.extreme ? 255 : static_cast<uint8_t>(random.bits());
    for (int64_t i = 0; i < b.size(); ++i)
      b[i] = test.extreme ? 0x80 : static_cast<uint8_t>(random.bits());
    for (int64_t i = 0; i < zeros.size(); ++i) zeros[i] = static_cast<uint8_t>(random.bits());
    for (float& scale : scales) scale = random.uniform(1e-4f, 1e-2f);
    for (float& one : bias) one = random.uniform(-1, 1);
    args.weight = {test.n, test.k, quants.data(), sums.data(),
                   test.is_signed && test.zero_count == 0 ? nullptr : packed_zeros.data()};
    pack_int8({b.data(), test.is_signed, zeros.data(), test.zero_count}, 0, int8_tiles(test.n),
              args.weight);
    args.a = a.data();
    args.m = test.m;
    args.a_zero = test.extreme ? 0 : random.integer(0, 255);
    args.row_sums = row_sums.data();
    args.scales = scales.data();
  }

  int32_t expected(const Case& test, int64_t row, int64_t n) const {
    const auto value = [&](uint8_t byte) {
      return test.is_signed ? static_cast<int8_t>(byte) : byte;
    };
    const int zero = test.zero_count == 0 ? 0 : value(zeros[test.zero_count == 1 ? 0 : n]);
    int32_t sum = 0;
    for (int64_t k = 0; k < test.k; ++k) {
      sum += (a[row * test.k + k] - args.a_zero) * (value(b[k * test.n + n]) - zero);
    }
    return sum;
  }
};

void check_product(const Case& test, Isa isa, ThreadPool& pool, CheckReport& report) {
  CheckRandom random(static_cast<uint64_t>(test.n * 7919 + test.k * 31 + test.m));
  Operands operands(test, random);
  ThreadPool one(1);
  Guarded<int32_t> sums(test.m * test.n, 1);
  MatmulInt8Args args = operands.args;
  args.sums = sums.data();
  matmul_int8(matmul_int8_kernels(isa), pool, args);
  report.equal(sums.guard_intact() && operands.quants.guard_intact(), true, "guard", 0);
  for (int64_t i = 0; i < test.m * test.n; ++i) {
    report.equal(sums[i], operands.expected(test, i / test.n, i % test.n), "sums", i);
  }
  for (bool biased : {false, true}) {
    Guarded<float> y(test.m * test.n, 1), alone(test.m * test.n);
    args.y = y.data();
    args.bias = biased ? operands.bias.data() : nullptr;
    matmul_int8(matmul_int8_kernels(isa), pool, args);
    report.equal(y.guard_intact(), true, "guard", 1);
    for (int64_t i = 0; i < test.m * test.n; ++i) {
      const auto n = static_cast<size_t>(i % test.n);
      const float expected =
          static_cast<float>(sums[i]) * operands.scales[n] + (biased ? operands.bias[n] : 0.0f);
      report.near(y[i], expected, 2e-7f * (std::fabs(expected) + 1), "scaled", i);
    }
    args.y = alone.data();
    matmul_int8(matmul_int8_kernels(isa), one, args);
    same_bits(report, y, alone, "scaled on one thread");
  }
}

const Check check("matmul_int8", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  for (int64_t k : {1, 3, 4, 31, 64, 1536}) {
    for (int64_t n : {1, 16, 37}) {
      for (int64_t m : {1, 3, 9, 66}) {
        for (bool is_signed : {false, true}) {
          for (int64_t zeros : {int64_t{0}, int64_t{1}, n}) {
            if (m * n * k > 600000) continue;
            check_product({m, n, k, is_signed, zeros, zeros == 0 && is_signed && m == 9}, isa, pool,
                          report);
          }
        }
      }
    }
  }
});

}  // namespace
}  // namespace enm::kernels
