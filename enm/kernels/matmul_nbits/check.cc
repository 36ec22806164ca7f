// Every listed kernel against the scalar one, and the packing against the operator's own layout.
#include <algorithm>

#include "enm/kernels/check.h"
#include "enm/kernels/matmul_nbits/matmul_nbits.h"

namespace enm::kernels {
namespace {

struct Case {
  NbitsShape shape;
  int64_t m;
};

// A random weight in the operator's layout, its packed form, and room for both.
struct Weights {
  std::vector<uint8_t> quants;
  std::vector<float> scales;
  std::vector<uint8_t> zeros;
  std::vector<float> float_zeros;
  Guarded<uint8_t> packed_quants;
  std::vector<uint8_t> packed_scales;
  std::vector<uint8_t> packed_zeros;
  PackedNbits packed;

  Weights(const NbitsShape& shape, CheckRandom& random, ThreadPool& pool)
      : packed_quants(static_cast<int64_t>(shape.quant_bytes())),
        packed_scales(shape.scale_bytes()),
        packed_zeros(shape.zero_point_bytes()) {
    const int64_t row = shape.blocks() * shape.block * shape.bits / 8;
    quants.resize(static_cast<size_t>(shape.n * row));
    scales.resize(static_cast<size_t>(shape.n * shape.blocks()));
    zeros.resize(static_cast<size_t>(shape.n * ((shape.blocks() * shape.bits + 7) / 8)));
    float_zeros.resize(scales.size());
    for (auto& byte : quants) byte = static_cast<uint8_t>(random.bits());
    for (auto& byte : zeros) byte = static_cast<uint8_t>(random.bits());
    // Exact halves unless the case wants float scales.
    for (auto& scale : scales) {
      scale = static_cast<float>(random.integer(-1024, 1024)) / 1024.0f;
      if (!shape.half_scales()) scale += 1e-6f;
    }
    for (auto& zero : float_zeros) zero = random.uniform(-20, 20);
    NbitsSource source = {quants.data(), scales.data(), nullptr};
    if (shape.has_zero_points()) source.zero_points = zeros.data();
    if (shape.float_zero_points()) source.zero_points = float_zeros.data();
    pool.parallel_for(shape.tiles(), 1, [&](int64_t begin, int64_t end, int) {
      pack_nbits(shape, source, begin, end, packed_quants.data(), packed_scales.data(),
                 packed_zeros.data());
    });
    packed = {shape, packed_quants.data(), packed_scales.data(),
              shape.has_zero_points() ? packed_zeros.data() : nullptr};
  }
};

void for_each_case(Isa isa, ThreadPool& pool, CheckReport& report,
                   void (*run)(const Case&, Isa, ThreadPool&, CheckReport&)) {
  for (int bits : {4, 8}) {
    for (int64_t block : {16, 32, 64, 256}) {
      for (auto zeros : {BlockFormat::ZeroPoints::kNone, BlockFormat::ZeroPoints::kInteger,
                         BlockFormat::ZeroPoints::kFloat}) {
        for (int64_t k : {int64_t{1}, int64_t{33}, block, 3 * block, 2 * block - 5}) {
          for (int64_t n : {1, 16, 37}) {
            for (int64_t m : {1, 3, 9}) {
              const BlockFormat format = {
                  bits, block, zeros,
                  (n + k) % 2 == 0 ? BlockFormat::Scales::kF16 : BlockFormat::Scales::kF32};
              run({NbitsShape(format, n, k), m}, isa, pool, report);
            }
          }
        }
      }
    }
  }
}

void check_packing(const Case& test, Isa, ThreadPool& pool, CheckReport& report) {
  const NbitsShape& shape = test.shape;
  CheckRandom random(static_cast<uint64_t>(shape.n * 1000 + shape.k));
  const Weights weights(shape, random, pool);
  std::vector<float> row(static_cast<size_t>(shape.k));
  const int64_t row_bytes = shape.blocks() * shape.block * shape.bits / 8;
  const int64_t zero_bytes = (shape.blocks() * shape.bits + 7) / 8;
  for (int64_t n = 0; n < shape.n; ++n) {
    dequantize_nbits_row(weights.packed, n, row.data());
    for (int64_t k = 0; k < shape.k; ++k) {
      const int64_t b = k / shape.block;
      const auto nibble = [&](const std::vector<uint8_t>& bytes, int64_t base, int64_t i) -> int {
        if (shape.bits == 8) return bytes[static_cast<size_t>(base + i)];
        return bytes[static_cast<size_t>(base + i / 2)] >> (i % 2 * 4) & 15;
      };
      const auto at = static_cast<size_t>(n * shape.blocks() + b);
      const int integer =
          shape.has_zero_points() ? nibble(weights.zeros, n * zero_bytes, b) : shape.middle();
      const float zero =
          shape.float_zero_points() ? weights.float_zeros[at] : static_cast<float>(integer);
      const float expected = (static_cast<float>(nibble(weights.quants, n * row_bytes, k)) - zero) *
                             weights.scales[at];
      report.near(row[static_cast<size_t>(k)], expected, 0, "dequantized", n * shape.k + k);
    }
  }
}

template <NbitsMode kMode>
void check_mode(const Case& test, Isa isa, ThreadPool& pool, CheckReport& report) {
  const NbitsShape& shape = test.shape;
  CheckRandom random(static_cast<uint64_t>(shape.n * 7919 + shape.k * 31 + test.m));
  const Weights weights(shape, random, pool);
  const int64_t lda = shape.k + 3;
  const int64_t ldy = shape.n + 5;
  std::vector<float> a(static_cast<size_t>(test.m * lda));
  for (float& x : a) x = random.uniform(-2, 2);
  std::vector<float> bias(static_cast<size_t>(shape.n));
  for (float& x : bias) x = random.uniform(-1, 1);
  Guarded<float> expected(test.m * ldy), got(test.m * ldy), alone(test.m * ldy);
  Guarded<uint8_t> scratch(static_cast<int64_t>(nbits_scratch_bytes(shape, test.m)));
  NbitsArgs args = {&weights.packed, a.data(),      expected.data(), bias.data(), test.m, lda, ldy,
                    kMode,           scratch.data()};
  matmul_nbits(matmul_nbits_kernels(Isa::kScalar), pool, args);
  args.y = got.data();
  matmul_nbits(matmul_nbits_kernels(isa), pool, args);
  report.equal(got.guard_intact() && scratch.guard_intact(), true, "guard", 0);
  const float tolerance = 2e-6f * static_cast<float>(shape.k) * (shape.bits == 4 ? 16.0f : 256.0f);
  for (int64_t r = 0; r < test.m; ++r) {
    for (int64_t n = 0; n < shape.n; ++n) {
      report.near(got[r * ldy + n], expected[r * ldy + n], tolerance, "product", r * shape.n + n);
    }
  }
  ThreadPool one(1);
  args.y = alone.data();
  matmul_nbits(matmul_nbits_kernels(isa), one, args);
  same_bits(report, got, alone, "product on one thread");
}

const Check packing("matmul_nbits/packing", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  for_each_case(isa, pool, report, check_packing);
});
const Check int8("matmul_nbits/int8", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  for_each_case(isa, pool, report, check_mode<NbitsMode::kInt8>);
});
const Check floats("matmul_nbits/float", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  for_each_case(isa, pool, report, check_mode<NbitsMode::kFloat>);
});

}  // namespace
}  // namespace enm::kernels
