#include "enm/kernels/attention/attention.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "enm/kernels/check.h"

namespace enm::kernels {
namespace {

constexpr int64_t kHeads = 3;  // tiles of a case: what the threads share
constexpr float kInfinity = std::numeric_limits<float>::infinity();

enum class Keep { kAll, kSome, kPadded, kNone };

struct Case {
  int64_t rows, keys, head_dim;
  int64_t
      end_step;  // the last row sees all keys; where there are fewer keys than rows, some see none
  int64_t window;
  Keep keep;
  bool capped;
  bool nan;         // in the first query
  float spread;     // about how far scores go
  int64_t padding;  // of all strides
  std::optional<int64_t> sink_step;
  bool biased;
};

// Inputs end where the last number of the last row ends, so that reading on is reading outside of
// the allocation; they and the outputs start anywhere.
struct Operands {
  Case test;
  int64_t stride, sizes[2];
  std::vector<float> q, k, v, sinks, bias;
  std::vector<int32_t> keep;

  Operands(const Case& shape, CheckRandom& random)
      : test(shape), stride(shape.head_dim + shape.padding) {
    sizes[0] = (test.rows - 1) * stride + test.head_dim;
    sizes[1] = test.keys == 0 ? 0 : (test.keys - 1) * stride + test.head_dim;
    const auto make = [&](int64_t size) {
      std::vector<float> values(static_cast<size_t>(offset() + kHeads * size));
      fill(random, values, -1, 1);
      return values;
    };
    q = make(sizes[0]);
    k = make(sizes[1]);
    v = make(sizes[1]);
    sinks = make(test.rows);
    if (test.rows > 1) sinks[0] = -kInfinity;
    if (test.nan) q[static_cast<size_t>(offset())] = std::nanf("");
    bias.resize(static_cast<size_t>(test.rows * test.keys));
    fill(random, bias, -1, 1);
    for (float& one : bias) one = one < -0.7f ? -kInfinity : one * test.spread;
    for (int64_t t = 0; t < test.keys; ++t) {
      keep.push_back(test.keep == Keep::kSome
                         ? random.integer(0, 1)
                         : test.keep == Keep::kPadded && t < test.keys * 2 / 3);
    }
  }

  int64_t offset() const { return test.padding % 4; }

  AttentionTile tile(int64_t head, Guarded<float>& y) const {
    AttentionTile out;
    out.q = q.data() + offset() + head * sizes[0];
    out.k = k.data() + offset() + head * sizes[1];
    out.v = v.data() + offset() + head * sizes[1];
    out.y = y.data() + head * sizes[0];
    out.keep = test.keep == Keep::kAll ? nullptr : keep.data();
    out.bias = test.biased ? bias.data() : nullptr;
    out.bias_stride = test.keys;
    out.rows = test.rows;
    out.first_end = test.keys - (test.rows - 1) * test.end_step;
    out.end_step = test.end_step;
    out.window = test.window;
    out.head_dim = test.head_dim;
    out.q_stride = out.k_stride = out.v_stride = out.y_stride = stride;
    out.scale = 3 * test.spread / std::sqrt(static_cast<float>(test.head_dim));
    out.softcap = test.capped ? test.spread / 2 : 0;
    out.sinks = test.sink_step ? sinks.data() : nullptr;
    out.sink_step = test.sink_step.value_or(0);
    return out;
  }

  // All heads, each a tile.
  Guarded<float> run(Isa isa, ThreadPool& pool, CheckReport& report) const {
    const int64_t floats = attention_scratch_floats(test.head_dim);
    Guarded<float> y(kHeads * sizes[0], offset()), scratch(pool.size() * floats, offset());
    std::ranges::fill(y.all(), 7.0f);  // must not matter; stays between the rows
    pool.parallel_for(kHeads, 1, [&](int64_t begin, int64_t end, int worker) {
      for (int64_t head = begin; head < end; ++head) {
        AttentionTile args = tile(head, y);
        args.scratch = scratch.data() + worker * floats;
        attention_kernels(isa).tile(args);
      }
    });
    report.equal(scratch.guard_intact(), true, "attention scratch", -1);
    return y;
  }

  // The rows of a head one by one.
  Guarded<float> run_rows(Isa isa) const {
    Guarded<float> y(kHeads * sizes[0], offset());
    Guarded<float> scratch(attention_scratch_floats(test.head_dim));
    std::ranges::fill(y.all(), 7.0f);
    for (int64_t i = 0; i < kHeads * test.rows; ++i) {
      AttentionTile args = tile(i / test.rows, y);
      const int64_t row = i % test.rows;
      args.q += row * stride;
      args.y += row * stride;
      args.first_end = args.end(row);
      args.sinks = args.sinks != nullptr ? args.sinks + row * args.sink_step : nullptr;
      args.bias = args.bias != nullptr ? args.bias + row * args.bias_stride : nullptr;
      args.rows = 1;
      args.scratch = scratch.data();
      attention_kernels(isa).tile(args);
    }
    return y;
  }
};

void check_case(const Case& test, Isa isa, ThreadPool& pool, CheckReport& report,
                CheckRandom& random) {
  const Operands operands(test, random);
  Guarded<float> expected = operands.run(Isa::kScalar, pool, report);
  const Guarded<float> y = operands.run(isa, pool, report);
  if (test.nan) std::copy_n(y.data(), test.head_dim, expected.data());
  compare(report, y, expected, 2e-6f * (5 + test.spread), "attention");
  if (test.rows > kAttentionFewRows) return;
  same_bits(report, operands.run_rows(isa), y, "attention, a row alone");
}

template <typename T, size_t kCount>
T one_of(CheckRandom& random, const T (&values)[kCount]) {
  return values[random.integer(0, kCount - 1)];
}

const Check check("attention", [](Isa isa, ThreadPool& pool, CheckReport& report) {
  CheckRandom random(4);
  for (int i = 0; i < 500; ++i) {
    Case test = {};
    test.rows = one_of<int64_t>(random, {1, 2, 3, 4, 5, 7, 8, 9, 12, 17, 40, kAttentionTileRows});
    test.keys = one_of<int64_t>(random, {0, 1, 2, 15, 16, 17, 33, 63, 64, 65, 127, 129, 200});
    test.head_dim = one_of<int64_t>(random, {1, 3, 8, 16, 20, 32, 33, 64, 80, 100});
    test.end_step = random.integer(0, 1);
    test.window = one_of<int64_t>(random, {0, 0, 1, 5, 64, 70, 1000});
    test.keep = one_of(random, {Keep::kAll, Keep::kAll, Keep::kSome, Keep::kPadded, Keep::kNone});
    test.capped = random.integer(0, 2) == 0;
    test.nan = random.integer(0, 9) == 0;
    test.spread = one_of(random, {1.0f, 1.0f, 30.0f});
    test.padding = random.integer(0, 5);
    if (random.integer(0, 2) == 0) test.sink_step = random.integer(0, 1);
    test.biased = random.integer(0, 2) == 0;
    check_case(test, isa, pool, report, random);
  }
  check_case({kAttentionTileRows, 150, 512, 1}, isa, pool, report, random);
  check_case({8, 600, 256, 0}, isa, pool, report, random);
});

}  // namespace
}  // namespace enm::kernels
