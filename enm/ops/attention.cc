// com.microsoft.MultiHeadAttention: encoders, with a padding mask and a bias.
// Source: ONNX Runtime, docs/ContribOperators.md
#include "enm/kernels/attention/attention.h"

#include <algorithm>
#include <cmath>

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

constexpr size_t kMask = 4;
constexpr size_t kBias = 5;

// f32 [batch or 1, heads or 1, sequence, keys]
bool bias_fits(const TensorView& bias, const TensorView& query, const TensorView& key,
               int64_t heads) {
  const auto is_one_or = [&](int axis, int64_t size) {
    return bias.dim(axis) == 1 || bias.dim(axis) == size;
  };
  return bias.rank == 4 && is_one_or(0, query.dim(0)) && is_one_or(1, heads) &&
         bias.dim(2) == query.dim(1) && bias.dim(3) == key.dim(1);
}

Status attention_shape(const Attributes& attributes, Inputs in, Outputs out) {
  const int64_t heads = attributes.integer("num_heads");
  if (operand(in, 1) == nullptr || operand(in, 2) == nullptr) {
    return Unsupported("key or value is missing; packed forms are not supported");
  }
  const int64_t hidden = in[0].dim(2);
  if (heads < 1 || hidden < 1 || hidden % heads != 0 || hidden != in[1].dim(2) || in[1].rank != 3 ||
      !in[1].same_dims(in[2]) || in[0].dim(0) != in[1].dim(0)) {
    return InvalidArgument("query ", view_str(in[0]), ", key ", view_str(in[1]), " and value ",
                           view_str(in[2]), " do not fit ", heads, " heads");
  }
  const TensorView* mask = operand(in, kMask);
  if (mask != nullptr &&
      (mask->rank != 2 || mask->dim(0) != in[1].dim(0) || mask->dim(1) != in[1].dim(1))) {
    return Unsupported("key_padding_mask is ", view_str(*mask), "; expected i32[", in[1].dim(0),
                       ", ", in[1].dim(1), "]");
  }
  const TensorView* bias = operand(in, kBias);
  if (bias != nullptr && !bias_fits(*bias, in[0], in[1], heads)) {
    return InvalidArgument("attention_bias is ", view_str(*bias), " for query ", view_str(in[0]),
                           " and key ", view_str(in[1]));
  }
  return like_first(attributes, in, out);
}

class MultiHeadAttention final : public PreparedOp {
 public:
  MultiHeadAttention(const kernels::AttentionKernels& kernels, const Attributes& attributes)
      : kernels_(kernels),
        heads_(attributes.integer("num_heads")),
        scale_(attributes.number("scale")) {}

  uint64_t scratch_bytes(Inputs in, int threads) const override {
    const int64_t floats = kernels::attention_scratch_floats(in[0].dim(2) / heads_);
    return static_cast<uint64_t>(floats * threads) * sizeof(float);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const int64_t sequence = in[0].dim(1);
    const int64_t keys = in[1].dim(1);
    const int64_t hidden = in[0].dim(2);
    const int64_t head_dim = hidden / heads_;
    const int64_t scratch = kernels::attention_scratch_floats(head_dim);
    constexpr int64_t kRows = kernels::kAttentionTileRows;
    const int64_t tiles = (sequence + kRows - 1) / kRows;
    const TensorView* mask = operand(in, kMask);
    const TensorView* bias = operand(in, kBias);
    const auto body = [&](int64_t begin, int64_t end, int worker) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t first = i % tiles * kRows;
        const int64_t head = i / tiles % heads_;
        const int64_t b = i / tiles / heads_;
        const int64_t row = (b * sequence + first) * hidden + head * head_dim;
        kernels::AttentionTile tile;
        tile.q = in[0].as<float>() + row;
        tile.k = in[1].as<float>() + b * keys * hidden + head * head_dim;
        tile.v = in[2].as<float>() + b * keys * hidden + head * head_dim;
        tile.y = out[0].as<float>() + row;
        tile.keep = mask != nullptr ? mask->as<int32_t>() + b * keys : nullptr;
        if (bias != nullptr) {
          const int64_t of_batch = bias->dim(0) == 1 ? 0 : b * bias->dim(1);
          const int64_t plane = of_batch + (bias->dim(1) == 1 ? 0 : head);
          tile.bias = bias->as<float>() + (plane * sequence + first) * keys;
          tile.bias_stride = keys;
        }
        tile.rows = std::min(kRows, sequence - first);
        tile.first_end = keys;
        tile.head_dim = head_dim;
        tile.q_stride = tile.k_stride = tile.v_stride = tile.y_stride = hidden;
        tile.scale = scale_ != 0 ? scale_ : 1.0f / std::sqrt(static_cast<float>(head_dim));
        tile.scratch = reinterpret_cast<float*>(context.scratch) + worker * scratch;
        kernels_.tile(tile);
      }
    };
    context.pool->parallel_for(in[0].dim(0) * heads_ * tiles, 1, body);
    return {};
  }

 private:
  const kernels::AttentionKernels& kernels_;
  const int64_t heads_;
  const float scale_;
};

Result<std::unique_ptr<PreparedOp>> prepare_mha(const PrepareContext& context) {
  for (size_t i = 3; i < context.node().inputs.size(); ++i) {
    if (i == kMask || i == kBias || context.node().inputs[i] == graph::kNoValue) continue;
    return Unsupported("input ", i, " (", context.attributes.op().inputs[i].name,
                       ") is not supported");
  }
  return make_prepared<MultiHeadAttention>(kernels::attention_kernels(context.isa),
                                           context.attributes);
}

constexpr Types kI32 = graph::DType::kInt32;
constexpr Operand kInputs[] = {Operand("query", kF32).as('T').of_rank(3),
                               Operand("key", kF32).as('T').optional(),
                               Operand("value", kF32).as('T').optional(),
                               Operand("bias", kF32).as('T').optional(),
                               Operand("key_padding_mask", kI32).optional(),
                               Operand("attention_bias", kF32).as('T').optional(),
                               Operand("past_key", kF32).as('T').optional(),
                               Operand("past_value", kF32).as('T').optional(),
                               Operand("past_sequence_length", kI32).optional(),
                               Operand("cache_indirection", kI32).optional()};
// The others come with forms that are refused.
constexpr Operand kOutputs[] = {Operand("output", kF32).as('T')};
constexpr AttributeSpec kAttributes[] = {
    AttributeSpec::integer("num_heads").required(), AttributeSpec::real("scale"),
    AttributeSpec::integer("unidirectional").only(),
    AttributeSpec::real("mask_filter_value", -10000.0f)};  // masked keys have no weight at all

}  // namespace

constexpr Op kMultiHeadAttention = {.name = "MultiHeadAttention",
                                    .domain = graph::kMicrosoft,
                                    .inputs = kInputs,
                                    .outputs = kOutputs,
                                    .attributes = kAttributes,
                                    .shape = attention_shape,
                                    .traits = kHalfSafe,
                                    .cpu = prepare_mha};

}  // namespace enm::ops
