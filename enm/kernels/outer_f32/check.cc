#include "enm/kernels/check.h"
#include "enm/kernels/outer_f32/outer_f32.h"

namespace enm::kernels {
namespace {

void check_sizes(int64_t m, int64_t n, int64_t k, bool packed, Isa isa, ThreadPool& pool,
                 CheckReport& report) {
  CheckRandom random(static_cast<uint64_t>(m * 7919 + n * 31 + k));
  Guarded<float> a(m * kPanel * k), b(n * kPanel * k);
  const int64_t count = m * n * kPanel * kPanel;
  Guarded<float> expected(count), got(count), alone(count);
  for (Guarded<float>* values : {&a, &b, &expected}) fill(random, values->all(), -1, 1);
  for (int64_t i = 0; i < count; ++i) got[i] = alone[i] = expected[i];
  OuterF32Args args;
  args.a = a.data();
  args.b = b.data();
  args.k = k;
  args.a_panels = m;
  args.b_panels = n;
  args.c_row = packed ? kPanel : n * kPanel;
  args.c_panel = packed ? m * kPanel * kPanel : kPanel;
  args.triangle = m == n;
  args.subtract = packed;
  ThreadPool one(1);
  args.c = expected.data();
  outer_f32(outer_f32_kernels(Isa::kScalar), one, args);
  args.c = got.data();
  outer_f32(outer_f32_kernels(isa), pool, args);
  args.c = alone.data();
  outer_f32(outer_f32_kernels(isa), one, args);
  compare(report, got, expected, 2e-6f * static_cast<float>(k), "outer_f32");
  same_bits(report, got, alone, "outer_f32 on one thread");
}

const Check check("outer_f32", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  for (int64_t m : {1, 2, 9}) {
    for (int64_t n : {1, 3, 9, 70}) {
      for (int64_t k : {1, 7, 128}) {
        for (bool packed : {false, true}) check_sizes(m, n, k, packed, isa, pool, report);
      }
    }
  }
});

}  // namespace
}  // namespace enm::kernels
