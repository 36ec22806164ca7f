// Online softmax over blocks of keys. A block's keys are transposed once for the whole tile, so
// that the scores of a group of rows are a product of matrices with lanes over keys, as p V is one
// with lanes over head_dim. Few rows do not pay for the transposition: they take dot products.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "enm/kernels/attention/variants.h"
#include "enm/kernels/variant.h"
#include "enm/kernels/vector.h"

namespace enm::kernels {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();
constexpr int64_t kBlock = kAttentionBlock;
constexpr int64_t kGroup = kRegLanes == 16 ? 8 : 4;  // rows
typedef float Quad __attribute__((vector_size(16)));

// Registers of a row that stay there while a product's depth is walked: of kGroup rows, of one row.
constexpr int kGroupRegs = 2;
constexpr int kRowRegs = kRegLanes == 16 ? 4 : 8;

// c[rows, width] += a[rows, depth] b[depth, width]
struct Product {
  const float* a;
  const float* b;
  float* c;
  int64_t depth, width;
  int64_t a_stride, b_stride, c_stride;
};

template <int kRows, int kRegs>
void registers(const Product& p, int64_t row, int64_t column) {
  const float* a = p.a + row * p.a_stride;
  const float* b = p.b + column;
  float* c = p.c + row * p.c_stride + column;
  Reg acc[kRows][kRegs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kRegs; ++j) acc[r][j] = load<Reg>(c + r * p.c_stride + j * kRegLanes);
  }
  for (const float* end = a + p.depth; a != end; ++a, b += p.b_stride) {
    Reg line[kRegs];
#if defined(__wasm__)
    asm("" : "+r"(b));  // or every load below gets an address of its own
#endif
#pragma GCC unroll 8
    for (int j = 0; j < kRegs; ++j) line[j] = load<Reg>(b + j * kRegLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Reg x = splat<Reg>(a[r * p.a_stride]);
#pragma GCC unroll 8
      for (int j = 0; j < kRegs; ++j) acc[r][j] = line[j] * x + acc[r][j];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kRegs; ++j) store(c + r * p.c_stride + j * kRegLanes, acc[r][j]);
  }
}

// As many columns of kRows rows as fill registers; the first column that is left.
template <int kRows, int kRegs>
int64_t columns(const Product& p, int64_t row, int64_t column) {
  constexpr int64_t kStep = kRegs * kRegLanes;
  for (; column + kStep <= p.width; column += kStep) registers<kRows, kRegs>(p, row, column);
  if constexpr (kRegs > 1) column = columns<kRows, 1>(p, row, column);
  return column;
}

void multiply(const Product& p, int64_t rows) {
  int64_t filled = 0;
  if (rows == kGroup) {
    filled = columns<kGroup, kGroupRegs>(p, 0, 0);
  } else {
    for (int64_t row = 0; row < rows; ++row) filled = columns<1, kRowRegs>(p, row, 0);
  }
  for (int64_t row = 0; row < rows && filled < p.width; ++row) {
    float* c = p.c + row * p.c_stride;
    for (int64_t t = 0; t < p.depth; ++t) {
      const float x = p.a[row * p.a_stride + t];
      for (int64_t i = filled; i < p.width; ++i) c[i] += x * p.b[t * p.b_stride + i];
    }
  }
}

template <typename V, int... kIndex>
auto halves(V v, std::integer_sequence<int, kIndex...>) {
  constexpr int kHalf = sizeof...(kIndex);
  return std::pair(__builtin_shufflevector(v, v, kIndex...),
                   __builtin_shufflevector(v, v, (kIndex + kHalf)...));
}

// Down to four lanes.
template <typename V, typename Operation>
Quad narrowed(V v, Operation operation) {
  if constexpr (sizeof(V) == sizeof(Quad)) {
    return v;
  } else {
    const auto [low, high] = halves(v, std::make_integer_sequence<int, sizeof(V) / 8>());
    return narrowed(operation(low, high), operation);
  }
}

float largest_of(Reg v) {
  const Quad q = narrowed(v, [](auto a, auto b) { return max(a, b); });
  return std::max(std::max(q[0], q[1]), std::max(q[2], q[3]));
}

Quad four_sums(const Reg* v) {
  Quad q[4];
  for (int i = 0; i < 4; ++i) q[i] = narrowed(v[i], [](auto a, auto b) { return a + b; });
  const Quad x = __builtin_shufflevector(q[0], q[1], 0, 1, 4, 5) +
                 __builtin_shufflevector(q[0], q[1], 2, 3, 6, 7);
  const Quad y = __builtin_shufflevector(q[2], q[3], 0, 1, 4, 5) +
                 __builtin_shufflevector(q[2], q[3], 2, 3, 6, 7);
  return __builtin_shufflevector(x, y, 0, 2, 4, 6) + __builtin_shufflevector(x, y, 1, 3, 5, 7);
}

// A tile and the block of its keys [at, at + keys).
struct Block {
  const AttentionTile& tile;
  AttentionScratch& scratch;
  float* packed;
  int64_t at, keys;

  // Keys [t, t + 4); beyond the block the last key again.
  void four_keys(int64_t t, const float** out) const {
    for (int64_t i = 0; i < 4; ++i) {
      out[i] = tile.k + (at + std::min(t + i, keys - 1)) * tile.k_stride;
    }
  }
};

// scores[0, keys) = scale * q . k
void dot_products(const Block& block, const float* q, float* scores) {
  const int64_t head_dim = block.tile.head_dim;
  for (int64_t t = 0; t < block.keys; t += 4) {
    const float* k[4];
    block.four_keys(t, k);
    Reg acc[4] = {};
    int64_t i = 0;
    for (; i + kRegLanes <= head_dim; i += kRegLanes) {
      const Reg x = load<Reg>(q + i);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) acc[j] = x * load<Reg>(k[j] + i) + acc[j];
    }
    Quad sums = four_sums(acc);
    for (; i < head_dim; ++i) sums += q[i] * Quad{k[0][i], k[1][i], k[2][i], k[3][i]};
    store(scores + t, sums * block.tile.scale);
  }
}

// packed[i][t] = scale * k[t][i], a cache line of each key at a time.
void transpose(const Block& block) {
  constexpr int64_t kLine = 16;
  const int64_t head_dim = block.tile.head_dim;
  for (int64_t line = 0; line < head_dim; line += kLine) {
    const int64_t end = std::min(line + kLine, head_dim);
    for (int64_t t = 0; t < block.keys; t += 4) {
      const float* k[4];
      block.four_keys(t, k);
      float* out = block.packed + t;
      int64_t i = line;
      for (; i + 4 <= end; i += 4) {
        Quad a[4];
        for (int j = 0; j < 4; ++j) a[j] = load<Quad>(k[j] + i) * block.tile.scale;
        const Quad x = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5);
        const Quad y = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5);
        const Quad z = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
        const Quad w = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
        store(out + i * kBlock, __builtin_shufflevector(x, y, 0, 1, 4, 5));
        store(out + (i + 1) * kBlock, __builtin_shufflevector(x, y, 2, 3, 6, 7));
        store(out + (i + 2) * kBlock, __builtin_shufflevector(z, w, 0, 1, 4, 5));
        store(out + (i + 3) * kBlock, __builtin_shufflevector(z, w, 2, 3, 6, 7));
      }
      for (; i < end; ++i) {
        for (int j = 0; j < 4; ++j) out[i * kBlock + j] = k[j][i] * block.tile.scale;
      }
    }
  }
}

void scale_row(float* y, int64_t n, float factor) {
  int64_t i = 0;
  for (; i + kRegLanes <= n; i += kRegLanes) store(y + i, load<Reg>(y + i) * factor);
  for (; i < n; ++i) y[i] *= factor;
}

// Scores of one row to weights relative to the largest score so far; what the row has gathered
// before is made relative to it too. Keys outside of [from, to) and those that do not count weigh
// 0.
void weigh(const Block& block, int64_t row, int64_t from, int64_t to, int64_t width,
           float* scores) {
  const AttentionTile& tile = block.tile;
  if (tile.softcap != 0) {
    for (int64_t t = 0; t < width; t += kRegLanes) {
      store(scores + t, tile.softcap * tanh(load<Reg>(scores + t) / tile.softcap));
    }
  }
  if (tile.bias != nullptr) {
    const float* bias = tile.bias + row * tile.bias_stride + block.at;
    for (int64_t t = from; t < to; ++t) scores[t] += bias[t];
  }
  if (tile.keep != nullptr) {
    for (int64_t t = 0; t < width; t += kRegLanes) {
      const auto kept = load<decltype(Reg{} < Reg{})>(block.scratch.kept + t);
      store(scores + t, kept != 0 ? load<Reg>(scores + t) : splat<Reg>(kNothing));
    }
  }
  std::fill(scores, scores + from, kNothing);
  std::fill(scores + to, scores + width, kNothing);
  Reg most = load<Reg>(scores);
  for (int64_t t = kRegLanes; t < width; t += kRegLanes) most = max(load<Reg>(scores + t), most);
  float& largest = block.scratch.largest[row];
  float* totals = block.scratch.totals[row];
  const float before = largest;
  largest = std::max(before, largest_of(most));
  const float base = largest == kNothing ? 0 : largest;
  Reg total = load<Reg>(totals);
  if (largest != before) {
    const float factor = std::exp(before - base);
    total *= factor;
    scale_row(tile.y + row * tile.y_stride, tile.head_dim, factor);
  }
  for (int64_t t = 0; t < width; t += kRegLanes) {
    const Reg weights = exp(load<Reg>(scores + t) - base);
    store(scores + t, weights);
    total += weights;
  }
  store(totals, total);
}

// `count` rows, at most kGroup, from `row` on.
void attend_group(const Block& block, int64_t row, int64_t count, bool few) {
  const AttentionTile& tile = block.tile;
  const auto within = [&](int64_t t) { return std::clamp<int64_t>(t - block.at, 0, block.keys); };
  const int64_t from = within(tile.begin(row));
  const int64_t to = within(tile.end(row + count - 1));
  if (from >= to) return;
  const int64_t width = (to + kRegLanes - 1) / kRegLanes * kRegLanes;
  float* scores = block.scratch.scores[0];
  const float* q = tile.q + row * tile.q_stride;
  if (few) {
    for (int64_t r = 0; r < count; ++r) {
      dot_products(block, q + r * tile.q_stride, scores + r * kBlock);
    }
  } else {
    std::fill(scores, scores + count * kBlock, 0.0f);
    multiply({q, block.packed, scores, tile.head_dim, width, tile.q_stride, kBlock, kBlock}, count);
  }
  for (int64_t r = 0; r < count; ++r) {
    weigh(block, row + r, within(tile.begin(row + r)), within(tile.end(row + r)), width,
          scores + r * kBlock);
  }
  multiply({scores + from, tile.v + (block.at + from) * tile.v_stride, tile.y + row * tile.y_stride,
            to - from, tile.head_dim, kBlock, tile.v_stride, tile.y_stride},
           count);
}

void attend(const AttentionTile& tile) {
  const auto address = reinterpret_cast<uintptr_t>(tile.scratch);
  AttentionScratch& scratch = *reinterpret_cast<AttentionScratch*>((address + 63) / 64 * 64);
  auto* packed = reinterpret_cast<float*>(&scratch + 1);
  for (int64_t row = 0; row < tile.rows; ++row) {
    const float sink = tile.sinks != nullptr ? tile.sinks[row * tile.sink_step] : kNothing;
    scratch.largest[row] = sink;
    std::fill_n(scratch.totals[row], kRegLanes, 0.0f);
    scratch.totals[row][0] = sink == kNothing ? 0.0f : 1.0f;
    std::fill_n(tile.y + row * tile.y_stride, tile.head_dim, 0.0f);
  }
  const bool few = tile.rows <= kAttentionFewRows;
  int64_t end = tile.end(tile.rows - 1);
  if (tile.keep != nullptr) {  // padding behind the last key costs nothing
    while (end > 0 && tile.keep[end - 1] == 0) --end;
  }
  for (int64_t at = tile.begin(0) / kBlock * kBlock; at < end; at += kBlock) {
    const Block block = {tile, scratch, packed, at, std::min(kBlock, end - at)};
    if (tile.keep != nullptr) std::copy_n(tile.keep + at, block.keys, scratch.kept);
    if (!few) transpose(block);
    for (int64_t row = 0; row < tile.rows; row += kGroup) {
      attend_group(block, row, std::min(kGroup, tile.rows - row), few);
    }
  }
  for (int64_t row = 0; row < tile.rows; ++row) {
    float total = 0;
    for (int64_t lane = 0; lane < kRegLanes; ++lane) total += scratch.totals[row][lane];
    scale_row(tile.y + row * tile.y_stride, tile.head_dim, total == 0 ? 0.0f : 1.0f / total);
  }
}

}  // namespace

extern const AttentionKernels ENM_VARIANT_NAME(kAttention) = {attend};

}  // namespace enm::kernels
