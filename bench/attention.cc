// Attention kernels on one thread, at the shapes of models: GFLOP/s of every instruction set of the
// machine, 4 head_dim operations a row and key it sees. In WebAssembly bench/attention.mjs keeps
// the time.
#include "enm/kernels/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace enm::kernels {
namespace {

struct Shape {
  const char* name;
  int64_t heads, kv_heads, head_dim;
  int64_t rows, keys;
  bool causal;
  bool masked;
};

constexpr Shape kShapes[] = {
    {"Phi-1.5 prefill, 512 tokens", 32, 32, 64, 512, 512, true, false},
    {"Phi-1.5 decode, 4096 keys", 32, 32, 64, 1, 4096, true, false},
    {"Gemma-like prefill, 512 tokens", 8, 1, 256, 512, 512, true, false},
    {"Gemma-like decode, 4096 keys", 8, 1, 256, 1, 4096, true, false},
    {"MiniLM, 128 tokens masked", 12, 12, 32, 128, 128, false, true},
};

// Queries [rows, heads, head_dim]; keys and values [kv_heads, keys, head_dim] as in a cache, or
// [keys, heads, head_dim] where there is none (not causal).
class Layer {
 public:
  explicit Layer(const Shape& shape)
      : shape_(shape),
        q_(count(shape.rows, shape.heads)),
        k_(count(shape.keys, shape.kv_heads)),
        v_(k_.size()),
        y_(q_.size()),
        scratch_(static_cast<size_t>(attention_scratch_floats(shape.head_dim))),
        keep_(static_cast<size_t>(shape.keys), 1) {
    uint32_t state = 1;
    for (std::vector<float>* values : {&q_, &k_, &v_}) {
      for (float& x : *values) {
        state = state * 1664525u + 1013904223u;
        x = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
      }
    }
    for (size_t t = keep_.size() * 3 / 4; t < keep_.size(); ++t) keep_[t] = 0;
  }

  void run(Isa isa) {
    const AttentionKernels& kernels = attention_kernels(isa);
    const int64_t group = shape_.heads / shape_.kv_heads;
    const int64_t step = shape_.rows == 1 ? std::min(group, kAttentionFewRows) : 1;
    for (int64_t head = 0; head < shape_.heads; head += step) {
      for (int64_t row = 0; row < shape_.rows; row += kAttentionTileRows) {
        kernels.tile(tile(head, step, row));
      }
    }
  }

  double operations() const {
    const int64_t past = shape_.keys - shape_.rows;
    int64_t seen = 0;
    for (int64_t row = 0; row < shape_.rows; ++row) {
      seen += shape_.causal ? past + row + 1 : std::count(keep_.begin(), keep_.end(), 1);
    }
    return 4.0 * static_cast<double>(shape_.head_dim * shape_.heads * seen);
  }

 private:
  size_t count(int64_t rows, int64_t heads) const {
    return static_cast<size_t>(rows * heads * shape_.head_dim);
  }

  AttentionTile tile(int64_t head, int64_t heads, int64_t row) {
    const int64_t dim = shape_.head_dim;
    const int64_t hidden = shape_.heads * dim;
    const int64_t kv_head = head / (shape_.heads / shape_.kv_heads);
    AttentionTile out;
    out.q = q_.data() + row * hidden + head * dim;
    out.y = y_.data() + row * hidden + head * dim;
    out.k = k_.data() + kv_head * dim * (shape_.causal ? shape_.keys : 1);
    out.v = v_.data() + kv_head * dim * (shape_.causal ? shape_.keys : 1);
    out.k_stride = out.v_stride = shape_.causal ? dim : hidden;
    const bool decode = shape_.rows == 1;
    out.q_stride = out.y_stride = decode ? dim : hidden;
    out.rows = decode ? heads : std::min(kAttentionTileRows, shape_.rows - row);
    out.first_end = shape_.causal ? shape_.keys - shape_.rows + row + 1 : shape_.keys;
    out.end_step = shape_.causal && !decode ? 1 : 0;
    out.keep = shape_.masked ? keep_.data() : nullptr;
    out.head_dim = dim;
    out.scale = 1.0f / std::sqrt(static_cast<float>(dim));
    out.scratch = scratch_.data();
    return out;
  }

  const Shape& shape_;
  std::vector<float> q_, k_, v_, y_, scratch_;
  std::vector<int32_t> keep_;
};

}  // namespace
}  // namespace enm::kernels

using enm::kernels::kShapes;
using enm::kernels::Layer;

#if defined(__wasm__)
#define ENM_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {
Layer* layer = nullptr;
}

/// Makes shape `index` the one that bench_run computes; the operations of a run, 0 if there is no
/// such shape. bench_name: its name, ended by 0.
ENM_EXPORT(bench_open) double bench_open(uint32_t index) {
  delete layer;
  layer = index < std::size(kShapes) ? new Layer(kShapes[index]) : nullptr;
  return layer != nullptr ? layer->operations() : 0;
}
ENM_EXPORT(bench_name) const char* bench_name(uint32_t index) { return kShapes[index].name; }
ENM_EXPORT(bench_run) void bench_run() { layer->run(*enm::select_isa()); }

#else
#include <chrono>
#include <cstdio>

namespace {

/// Seconds of the fastest run in about half a second of them.
double fastest(Layer& layer, enm::Isa isa) {
  using Clock = std::chrono::steady_clock;
  double best = 1e9;
  for (double spent = 0; spent < 0.5;) {
    const auto begin = Clock::now();
    layer.run(isa);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    best = std::min(best, seconds);
    spent += seconds;
  }
  return best;
}

}  // namespace

int main() {
  for (const auto& shape : kShapes) {
    Layer layer(shape);
    std::printf("%-32s", shape.name);
    for (enm::Isa isa : {enm::Isa::kScalar, enm::Isa::kAvx2, enm::Isa::kAvx512Vnni}) {
      if (!enm::isa_available(isa)) continue;
      std::printf("  %s %6.1f", enm::isa_name(isa).data(),
                  layer.operations() / fastest(layer, isa) / 1e9);
    }
    std::printf("  GFLOP/s\n");
  }
}
#endif
