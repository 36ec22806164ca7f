#include "enm/kernels/check.h"
#include "enm/kernels/matmul_f32/matmul_f32.h"

namespace enm::kernels {
namespace {

void check_product(int64_t m, int64_t n, int64_t k, Isa isa, ThreadPool& pool,
                   CheckReport& report) {
  CheckRandom random(static_cast<uint64_t>(m * 7919 + n * 31 + k));
  Guarded<float> a(m * k, 1), b(k * n, 3), bias(n, 1);
  Guarded<float> panels(packed_floats(n, k));
  Guarded<float> expected(m * n, 1), got(m * n, 1), alone(m * n, 2);
  for (Guarded<float>* values : {&a, &b, &bias}) fill(random, values->all(), -1, 1);
  pool.parallel_for(panel_count(n), 1, [&](int64_t begin, int64_t end, int) {
    pack_f32(b.data(), n, k, 1, n, begin, end, panels.data());
  });
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
  ThreadPool one(1);
  args.y = alone.data();
  matmul_f32(matmul_f32_kernels(isa), one, args);
  same_bits(report, got, alone, "matmul_f32 on one thread");
}

const Check check("matmul_f32", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  for (int64_t m : {1, 5, 6, 13}) {
    for (int64_t n : {1, 15, 16, 33, 200}) {
      for (int64_t k : {1, 7, 64}) check_product(m, n, k, isa, pool, report);
    }
  }
});

}  // namespace
}  // namespace enm::kernels
