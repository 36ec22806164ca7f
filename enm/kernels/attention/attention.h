// Scaled dot-product attention, a tile of query rows at a time.
// Sources: arXiv 1706.03762; in blocks of keys, arXiv 2205.14135; sinks as in ONNX Runtime's
// GroupQueryAttention, docs/ContribOperators.md.
#pragma once

#include <cstdint>

#include "enm/base/cpu.h"

namespace enm::kernels {

/// A tile of query rows of one head (or of several heads that share keys) over keys [0, ...):
///   y[i] = sum_t p[i,t] v[t],  p[i] = softmax over the kept t of  cap(scale * q[i] . k[t]) +
///   bias[i,t]
/// Row i sees keys t in [max(0, end_i - window), end_i), end_i = first_end + i * end_step.
/// Keys and values that some row of the tile does not see have weight 0 there, but must be finite.
struct AttentionTile {
  const float* q = nullptr;  // [rows] of head_dim floats, q_stride apart
  const float* k = nullptr;  // keys of head_dim floats, k_stride apart
  const float* v = nullptr;  // values likewise, v_stride apart
  float* y = nullptr;        // [rows] of head_dim floats, y_stride apart; must not overlap q, k, v
  /// Keys that count, 1 or 0, or null for all. A row with no key at all gives zeros.
  const int32_t* keep = nullptr;
  /// What is added to the scores, by row and key, or null: bias[i * bias_stride + t]. -inf is a key
  /// that does not count for that row.
  const float* bias = nullptr;
  int64_t bias_stride = 0;
  int64_t rows = 0;
  int64_t first_end = 0;
  int64_t end_step = 0;  // 1: causal; 0: all rows see the same keys
  int64_t window = 0;    // 0: none
  int64_t head_dim = 0;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0, y_stride = 0;
  float scale = 1;
  float softcap = 0;  // 0: none; else cap(s) = softcap * tanh(s / softcap)
  /// Smooth softmax: an extra logit per row that has no value, or null. One row's at
  /// sinks[i * sink_step].
  const float* sinks = nullptr;
  int64_t sink_step = 0;
  float* scratch = nullptr;  // attention_scratch_floats(...)

  int64_t end(int64_t row) const { return first_end + row * end_step; }
  int64_t begin(int64_t row) const {
    return window > 0 && end(row) > window ? end(row) - window : 0;
  }
};

/// Rows a caller should hand over at most.
inline constexpr int64_t kAttentionTileRows = 64;
/// Of tiles with at most so many rows, a row's bits do not depend on which rows stand beside it.
inline constexpr int64_t kAttentionFewRows = 8;

/// Floats of scratch one thread wants; does not depend on the number of keys.
int64_t attention_scratch_floats(int64_t head_dim);

struct AttentionKernels {
  void (*tile)(const AttentionTile& tile);
};

const AttentionKernels& attention_kernels(Isa isa);

}  // namespace enm::kernels
