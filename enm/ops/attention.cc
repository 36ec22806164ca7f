// com.microsoft.GroupQueryAttention (decoders, causal, with a key-value cache and rotary positions)
// and com.microsoft.MultiHeadAttention (encoders, with a padding mask).
// Source: ONNX Runtime, docs/ContribOperators.md
#include "enm/kernels/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "enm/kernels/rotary/rotary.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

// Inputs: query, key, value, past_key, past_value, seqlens_k, total_sequence_length, cos, sin.
// Outputs: output, present_key, present_value. When present shares past's memory (a cache with
// capacity), new rows are written in place; otherwise the past is copied first.
class GroupQueryAttention final : public PreparedOp {
 public:
  GroupQueryAttention(const kernels::AttentionKernels& kernels, const graph::Node& node)
      : kernels_(kernels),
        heads_(node.int_or("num_heads", 0)),
        kv_heads_(node.int_or("kv_num_heads", 0)),
        scale_(node.float_or("scale", 0)),
        rotary_(node.int_or("do_rotary", 0) != 0),
        interleaved_(node.int_or("rotary_interleaved", 0) != 0) {}

  Status infer(Inputs in, Outputs out) const override {
    const TensorView& q = in[0];
    const TensorView& past = in[3];
    for (int i = 0; i < 5; ++i) {
      ENM_RETURN_IF_ERROR(expect_dtype(in[static_cast<size_t>(i)], DType::kFloat32, "an operand"));
      ENM_RETURN_IF_ERROR(expect_rank(in[static_cast<size_t>(i)], i < 3 ? 3 : 4, "an operand"));
    }
    const int64_t head_dim = q.dim(2) / heads_;
    if (q.dim(2) != heads_ * head_dim || in[1].dim(2) != kv_heads_ * head_dim ||
        !in[1].same_dims(in[2]) || in[1].dim(1) != q.dim(1) || in[1].dim(0) != q.dim(0)) {
      return InvalidArgument("query ", view_str(q), ", key ", view_str(in[1]), " and value ",
                             view_str(in[2]), " do not fit ", heads_, " and ", kv_heads_, " heads");
    }
    if (past.dim(0) != q.dim(0) || past.dim(1) != kv_heads_ || past.dim(3) != head_dim ||
        !past.same_dims(in[4])) {
      return InvalidArgument("the cache is ", view_str(past), " and ", view_str(in[4]));
    }
    out[0].dtype = DType::kFloat32;
    out[0].set_dims({q.dims.data(), 3});
    for (size_t i = 1; i < 3; ++i) {
      out[i].dtype = DType::kFloat32;
      out[i].set_dims(std::array{q.dim(0), kv_heads_, past.dim(2) + q.dim(1), head_dim});
    }
    return check_rotary(in, out[1]);
  }

  size_t scratch_bytes(Inputs in, const ThreadPool& pool) const override {
    const int64_t scratch = kernels::attention_scratch_floats(in[0].dim(2) / heads_);
    return static_cast<size_t>(in[0].count() + scratch * pool.size()) * sizeof(float);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const int64_t batch = in[0].dim(0);
    const int64_t sequence = in[0].dim(1);
    const int64_t head_dim = in[0].dim(2) / heads_;
    const int64_t past = in[3].dim(2);
    const int64_t total = past + sequence;
    const int64_t capacity = out[1].capacity != 0 ? out[1].capacity : total;
    ENM_RETURN_IF_ERROR(check_lengths(in[5], batch, total));
    float* queries = reinterpret_cast<float*>(context.scratch);
    float* scratch = queries + in[0].count();
    for (int64_t b = 0; b < batch; ++b) {
      for (int which = 0; which < 2; ++which) {
        const auto i = static_cast<size_t>(which);
        append(in[1 + i], in[3 + i], out[1 + i], b, capacity, head_dim, which == 0 ? &in : nullptr);
      }
      rotate_queries(in, queries, b, head_dim, past);
    }
    // Many tokens: a tile is some of the rows of a head. One token: some of the heads that share
    // keys, as few as leave work for every thread.
    const bool one = sequence == 1;
    const int64_t group = heads_ / kv_heads_;
    const int64_t threads = context.pool->size();
    const int64_t most = one ? std::clamp<int64_t>(batch * heads_ / threads, 1,
                                                   std::min(group, kernels::kAttentionFewRows))
                             : kernels::kAttentionTileRows;
    const int64_t rows = one ? group : sequence;
    const int64_t tiles = (rows + most - 1) / most;
    const int64_t shares = one ? kv_heads_ : heads_;
    context.pool->parallel_for(
        batch * shares * tiles, 1, [&](int64_t begin, int64_t end, int worker) {
          for (int64_t i = begin; i < end; ++i) {
            const int64_t first = i % tiles * most;
            const int64_t share = i / tiles % shares;
            const int64_t b = i / tiles / shares;
            const int64_t head = one ? share * group + first : share;
            const int64_t position = one ? 0 : first;
            const int64_t cache = (b * kv_heads_ + head / group) * capacity * head_dim;
            const int64_t row = ((b * sequence + position) * heads_ + head) * head_dim;
            kernels::AttentionTile args;
            args.q = queries + row;
            args.k = out[1].as<float>() + cache;
            args.v = out[2].as<float>() + cache;
            args.y = out[0].as<float>() + row;
            args.rows = std::min(most, rows - first);
            args.first_end = past + position + 1;
            args.end_step = one ? 0 : 1;
            args.head_dim = args.k_stride = args.v_stride = head_dim;
            args.q_stride = args.y_stride = one ? head_dim : heads_ * head_dim;
            args.scale = scale_ != 0 ? scale_ : 1.0f / std::sqrt(static_cast<float>(head_dim));
            args.scratch = scratch + worker * kernels::attention_scratch_floats(head_dim);
            kernels_.tile(args);
          }
        });
    return {};
  }

 private:
  Status check_rotary(Inputs in, const TensorView& present) const {
    if (!rotary_) return {};
    const TensorView& cos = in[7];
    if (cos.rank != 2 || cos.dtype != DType::kFloat32 || !cos.same_dims(in[8]) ||
        2 * cos.dim(1) > present.dim(3)) {
      return InvalidArgument("the rotary tables are ", view_str(cos), " and ", view_str(in[8]));
    }
    if (present.dim(2) > cos.dim(0)) {
      return ResourceExhausted(present.dim(2), " positions; the model has ", cos.dim(0));
    }
    return {};
  }

  // Every sequence of the batch must be full: padding inside a batch is not supported.
  static Status check_lengths(const TensorView& seqlens, int64_t batch, int64_t total) {
    ENM_RETURN_IF_ERROR(expect_dtype(seqlens, DType::kInt32, "seqlens_k"));
    if (seqlens.count() != batch) return InvalidArgument("seqlens_k is ", view_str(seqlens));
    for (int64_t b = 0; b < batch; ++b) {
      if (seqlens.as<int32_t>()[b] + 1 != total) {
        return Unsupported("sequence ", b, " has ", seqlens.as<int32_t>()[b] + 1, " of ", total,
                           " tokens; padded batches of decoders are not supported");
      }
    }
    return {};
  }

  // Writes the new rows behind the past ones, keys turned to their positions.
  void append(const TensorView& fresh, const TensorView& past, const TensorView& present, int64_t b,
              int64_t capacity, int64_t head_dim, const Inputs* rotary_inputs) const {
    const int64_t old_rows = past.dim(2);
    const int64_t sequence = fresh.dim(1);
    for (int64_t head = 0; head < kv_heads_; ++head) {
      float* to = present.as<float>() + (b * kv_heads_ + head) * capacity * head_dim;
      if (past.data != present.data && old_rows > 0) {
        const float* from = past.as<float>() + (b * kv_heads_ + head) * old_rows * head_dim;
        std::memcpy(to, from, static_cast<size_t>(old_rows * head_dim) * sizeof(float));
      }
      for (int64_t s = 0; s < sequence; ++s) {
        float* row = to + (old_rows + s) * head_dim;
        const float* from = fresh.as<float>() + ((b * sequence + s) * kv_heads_ + head) * head_dim;
        std::memcpy(row, from, static_cast<size_t>(head_dim) * sizeof(float));
        if (rotary_inputs != nullptr) rotate(*rotary_inputs, row, old_rows + s);
      }
    }
  }

  void rotate_queries(Inputs in, float* queries, int64_t b, int64_t head_dim, int64_t past) const {
    const int64_t sequence = in[0].dim(1);
    const int64_t count = sequence * heads_ * head_dim;
    float* to = queries + b * count;
    std::memcpy(to, in[0].as<float>() + b * count, static_cast<size_t>(count) * sizeof(float));
    for (int64_t s = 0; s < sequence; ++s) {
      for (int64_t head = 0; head < heads_; ++head) {
        rotate(in, to + (s * heads_ + head) * head_dim, past + s);
      }
    }
  }

  void rotate(Inputs in, float* x, int64_t position) const {
    if (!rotary_) return;
    const int64_t half = in[7].dim(1);
    kernels::rotate_head(x, in[7].as<float>() + position * half,
                         in[8].as<float>() + position * half, half, interleaved_);
  }

  const kernels::AttentionKernels& kernels_;
  const int64_t heads_;
  const int64_t kv_heads_;
  const float scale_;
  const bool rotary_;
  const bool interleaved_;
};

Result<std::unique_ptr<PreparedOp>> prepare_gqa(const PrepareContext& context) {
  const graph::Node& node = context.node;
  const int64_t heads = node.int_or("num_heads", 0);
  const int64_t kv_heads = node.int_or("kv_num_heads", 0);
  if (heads < 1 || kv_heads < 1 || heads > 4096 || heads % kv_heads != 0) {
    return Corrupt("num_heads is ", heads, " and kv_num_heads ", kv_heads);
  }
  for (size_t i = 0; i < 7; ++i) {
    if (node.input(i) == graph::kNoValue) {
      return Unsupported("input ", i, " is missing; packed QKV and calls without a cache are not ",
                         "supported");
    }
  }
  if (node.outputs.size() != 3) return Unsupported("expected 3 outputs, got ", node.outputs.size());
  if (node.int_or("local_window_size", -1) != -1 || node.float_or("softcap", 0) != 0 ||
      node.int_or("smooth_softmax", 0) != 0 || node.int_or("causal", 1) != 1) {
    return Unsupported("windows, softcap, smooth softmax and attention that is not causal are not ",
                       "supported");
  }
  for (size_t i = 9; i < node.inputs.size(); ++i) {
    if (node.input(i) != graph::kNoValue) return Unsupported("input ", i, " is not supported");
  }
  if (node.int_or("do_rotary", 0) != 0 &&
      (node.input(7) == graph::kNoValue || node.input(8) == graph::kNoValue)) {
    return Corrupt("do_rotary is set, but cos_cache or sin_cache is missing");
  }
  return make_prepared<GroupQueryAttention>(kernels::attention_kernels(context.isa), node);
}

// Inputs: query, key, value [batch, sequence, hidden], bias?, key_padding_mask? i32 [batch, keys].
class MultiHeadAttention final : public PreparedOp {
 public:
  MultiHeadAttention(const kernels::AttentionKernels& kernels, int64_t heads, float scale)
      : kernels_(kernels), heads_(heads), scale_(scale) {}

  Status infer(Inputs in, Outputs out) const override {
    for (size_t i = 0; i < 3; ++i) {
      ENM_RETURN_IF_ERROR(expect_dtype(in[i], DType::kFloat32, "an operand"));
      ENM_RETURN_IF_ERROR(expect_rank(in[i], 3, "an operand"));
    }
    if (in[0].dim(2) % heads_ != 0 || in[0].dim(2) != in[1].dim(2) || !in[1].same_dims(in[2]) ||
        in[0].dim(0) != in[1].dim(0)) {
      return InvalidArgument("query ", view_str(in[0]), ", key ", view_str(in[1]), " and value ",
                             view_str(in[2]), " do not fit ", heads_, " heads");
    }
    if (in.size() > 4 && in[4].given() &&
        (in[4].dtype != DType::kInt32 || in[4].rank != 2 || in[4].dim(0) != in[1].dim(0) ||
         in[4].dim(1) != in[1].dim(1))) {
      return InvalidArgument("key_padding_mask is ", view_str(in[4]), "; expected i32[",
                             in[1].dim(0), ", ", in[1].dim(1), "]");
    }
    out[0] = in[0];
    return {};
  }

  size_t scratch_bytes(Inputs in, const ThreadPool& pool) const override {
    const int64_t scratch = kernels::attention_scratch_floats(in[0].dim(2) / heads_);
    return static_cast<size_t>(scratch * pool.size()) * sizeof(float);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const int64_t sequence = in[0].dim(1);
    const int64_t keys = in[1].dim(1);
    const int64_t hidden = in[0].dim(2);
    const int64_t head_dim = hidden / heads_;
    constexpr int64_t kRows = kernels::kAttentionTileRows;
    const int64_t tiles = (sequence + kRows - 1) / kRows;
    const int64_t scratch = kernels::attention_scratch_floats(head_dim);
    const bool masked = in.size() > 4 && in[4].given();
    context.pool->parallel_for(
        in[0].dim(0) * heads_ * tiles, 1, [&](int64_t begin, int64_t end, int worker) {
          for (int64_t i = begin; i < end; ++i) {
            const int64_t first = i % tiles * kRows;
            const int64_t head = i / tiles % heads_;
            const int64_t b = i / tiles / heads_;
            const int64_t row = (b * sequence + first) * hidden + head * head_dim;
            kernels::AttentionTile args;
            args.q = in[0].as<float>() + row;
            args.k = in[1].as<float>() + b * keys * hidden + head * head_dim;
            args.v = in[2].as<float>() + b * keys * hidden + head * head_dim;
            args.y = out[0].as<float>() + row;
            args.keep = masked ? in[4].as<int32_t>() + b * keys : nullptr;
            args.rows = std::min(kRows, sequence - first);
            args.first_end = keys;
            args.head_dim = head_dim;
            args.q_stride = args.k_stride = args.v_stride = args.y_stride = hidden;
            args.scale = scale_ != 0 ? scale_ : 1.0f / std::sqrt(static_cast<float>(head_dim));
            args.scratch = reinterpret_cast<float*>(context.scratch) + worker * scratch;
            kernels_.tile(args);
          }
        });
    return {};
  }

 private:
  const kernels::AttentionKernels& kernels_;
  const int64_t heads_;
  const float scale_;
};

Result<std::unique_ptr<PreparedOp>> prepare_mha(const PrepareContext& context) {
  const graph::Node& node = context.node;
  const int64_t heads = node.int_or("num_heads", 0);
  if (heads < 1 || heads > 4096) return Corrupt("num_heads is ", heads);
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const bool wanted = i < 3;
    const bool is_there = node.input(i) != graph::kNoValue;
    if ((wanted && !is_there) || (!wanted && i != 4 && is_there)) {
      return Unsupported("supported are separate query, key and value and a key_padding_mask; ",
                         "input ", i, is_there ? " is given" : " is missing");
    }
  }
  if (node.int_or("unidirectional", 0) != 0) return Unsupported("unidirectional is not supported");
  return make_prepared<MultiHeadAttention>(kernels::attention_kernels(context.isa), heads,
                                           node.float_or("scale", 0));
}

}  // namespace

const Op kGroupQueryAttention = {"GroupQueryAttention", graph::kMicrosoft, 7, 14, 4, prepare_gqa};
const Op kMultiHeadAttention = {"MultiHeadAttention", graph::kMicrosoft, 3, 10, 4, prepare_mha};

}  // namespace enm::ops
