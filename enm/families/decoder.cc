// Writes a decoder's graph from its config.
#include <cmath>

#include "enm/families/builder.h"
#include "enm/families/decoder_config.h"
#include "enm/families/rope.h"

namespace enm::families {
namespace {

using graph::DType;
using graph::Shape;
using graph::ValueId;
using Activation = DecoderConfig::Activation;

Status check(const DecoderConfig& c) {
  for (int64_t size : {c.vocab, c.hidden, c.intermediate, c.layers, c.heads, c.kv_heads, c.head_dim,
                       c.max_positions}) {
    if (size < 1) return Corrupt("a size of the model is ", size);
  }
  // Inputs and tables are sized by these before any tensor has vouched for them.
  constexpr int64_t kMost = 4096;
  if (c.layers > kMost || c.head_dim > kMost) {
    return Corrupt(c.layers, " layers and heads of ", c.head_dim, "; at most ", kMost, " of each");
  }
  if (c.heads % c.kv_heads != 0) {
    return Corrupt("num_attention_heads ", c.heads, " is no multiple of num_key_value_heads ",
                   c.kv_heads);
  }
  if (!c.windows.empty() && c.windows.size() != static_cast<size_t>(c.layers)) {
    return Corrupt(c.windows.size(), " windows for ", c.layers, " layers");
  }
  ENM_RETURN_IF_ERROR(check_rope(c.rope, c.head_dim));
  return c.dual_rope ? check_rope(c.local_rope, c.head_dim) : Status();
}

class DecoderWriter {
 public:
  DecoderWriter(const DecoderConfig& config, const TensorSource& tensors, int64_t positions)
      : config_(config), builder_(tensors, ""), positions_(positions) {}

  Result<graph::Graph> write() {
    add_inputs();
    rotary_ = add_rotary("", config_.rope);
    local_rotary_ = config_.dual_rope ? add_rotary("local_", config_.local_rope) : rotary_;
    ENM_ASSIGN_OR_RETURN(residual_, add_embedding());
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      ENM_RETURN_IF_ERROR(add_block(layer));
    }
    ENM_ASSIGN_OR_RETURN(const ValueId x, add_norm(std::string(config_.names.final_norm), true));
    ENM_ASSIGN_OR_RETURN(const ValueId logits, add_head(x));
    add_output(logits);
    return builder_.finish();
  }

 private:
  struct Rotary {
    ValueId cos, sin;  // f32[positions, pairs]
  };

  // transformers.js knows a dimension of the batch by the name "batch_size"; any other symbol of a
  // cache it takes for 0.
  graph::Type cache_type(const char* length) const {
    return {DType::kFloat32, Shape{"batch_size", config_.kv_heads, length, config_.head_dim}};
  }

  void add_inputs() {
    graph::ModelDescription& d = builder_.description;
    builder_.graph.name = d.family = config_.family;
    d.task = graph::ModelDescription::Task::kTextGeneration;
    d.input_ids = "input_ids";
    d.attention_mask = "attention_mask";
    d.context_length = positions_;
    d.vocabulary = config_.vocab;
    d.dimensions = config_.hidden;
    input_ids_ =
        builder_.graph.add_input("input_ids", {DType::kInt64, Shape{"batch_size", "sequence"}});
    const ValueId mask = builder_.graph.add_input(
        "attention_mask", {DType::kInt64, Shape{"batch_size", "past + sequence"}});
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      const std::string past = cat("past_key_values.", layer, ".");
      const std::string present = cat("present.", layer, ".");
      d.layers.push_back({past + "key", past + "value", present + "key", present + "value",
                          config_.kv_heads, config_.head_dim, config_.window(layer)});
      for (const char* part : {"key", "value"}) {
        builder_.graph.add_input(past + part, cache_type("past"));
      }
    }
    add_lengths(mask);
  }

  // seqlens_k = sum(attention_mask, 1) - 1 and total_length = width of attention_mask, both i32.
  void add_lengths(ValueId mask) {
    const ValueId axis = builder_.int64s("attention_mask.axis", {1}, {1});
    const ValueId one = builder_.int64s("attention_mask.one", {}, {1});
    const ValueId sum = builder_.node("ReduceSum", "", "attention_mask/ReduceSum", {mask, axis},
                                      DType::kInt64, {{"keepdims", int64_t{0}}});
    const ValueId last = builder_.node("Sub", "", "attention_mask/Sub", {sum, one}, DType::kInt64);
    seqlens_k_ = builder_.cast("attention_mask/seqlens_k", last, DType::kInt32);
    const ValueId shape = builder_.node("Shape", "", "attention_mask/Shape", {mask}, DType::kInt64);
    const ValueId width = builder_.node("Gather", "", "attention_mask/Gather", {shape, one},
                                        DType::kInt64, {{"axis", int64_t{0}}});
    total_length_ = builder_.cast("attention_mask/total_length", width, DType::kInt32);
  }

  // Texts that outgrow the positions of a kLongRope model turn by other factors from their first
  // token on: the tables hold both, and a pass takes one.
  Rotary add_rotary(const std::string& prefix, const Rope& rope) {
    const bool two = rope.kind == Rope::Kind::kLongRope && positions_ > rope.original_positions;
    RotaryTables tables;
    const float scale = rotary_scale(rope);
    append_rotary_rows(rotary_frequencies(rope, config_.head_dim, false), scale, positions_,
                       tables);
    if (two) {
      append_rotary_rows(rotary_frequencies(rope, config_.head_dim, true), scale, positions_,
                         tables);
    }
    std::vector<int64_t> dims = {positions_, rotary_pairs(rope, config_.head_dim)};
    if (two) dims.insert(dims.begin(), 2);
    const auto table = [&](const char* name, const std::vector<float>& rows) {
      return builder_.constant(prefix + name, graph::make_tensor(DType::kFloat32, dims, rows));
    };
    const Rotary rotary{table("cos_cache", tables.cos), table("sin_cache", tables.sin)};
    if (!two) return rotary;
    builder_.description.short_context = rope.original_positions;
    const ValueId original = builder_.constant(
        prefix + "original_positions",
        graph::make_tensor(DType::kInt32, {},
                           std::vector{static_cast<int32_t>(rope.original_positions)}));
    const ValueId is_long = builder_.node("Greater", "", prefix + "rotary/Greater",
                                          {total_length_, original}, DType::kBool);
    const ValueId index = builder_.cast(prefix + "rotary/Cast", is_long, DType::kInt64);
    return {builder_.f32("Gather", prefix + "rotary/cos", {rotary.cos, index}),
            builder_.f32("Gather", prefix + "rotary/sin", {rotary.sin, index})};
  }

  Result<ValueId> add_embedding() {
    const std::string module(config_.names.embedding);
    ENM_ASSIGN_OR_RETURN(const ValueId rows,
                         builder_.embedding(module, input_ids_, config_.vocab, config_.hidden));
    if (config_.embedding_scale == 1) return rows;
    return builder_.f32("Mul", module + "/Mul",
                        {rows, builder_.float_scalar(module + ".scale", config_.embedding_scale)});
  }

  Result<ValueId> norm_weight(const std::string& module, int64_t width) {
    ENM_ASSIGN_OR_RETURN(const ValueId weight, builder_.parameter(module + ".weight", {width}));
    if (!config_.norm_plus_one) return weight;
    return builder_.f32("Add", module + "/plus_one",
                        {weight, builder_.float_scalar(module + ".one", 1)});
  }

  Result<ValueId> add_rms(const std::string& module, ValueId x, int64_t width) {
    ENM_ASSIGN_OR_RETURN(const ValueId weight, norm_weight(module, width));
    return builder_.f32("SimplifiedLayerNormalization", module + "/SimplifiedLayerNormalization",
                        {x, weight}, {{"axis", int64_t{-1}}, {"epsilon", config_.epsilon}});
  }

  // The norm of residual + delta; the sum is the residual from then on.
  Result<ValueId> add_norm(const std::string& module, bool is_last = false) {
    const bool rms = config_.norm == DecoderConfig::Norm::kRms;
    if (delta_ == graph::kNoValue) {
      return rms ? add_rms(module, residual_, config_.hidden)
                 : builder_.layer_norm(module, residual_, config_.hidden, config_.epsilon);
    }
    ENM_ASSIGN_OR_RETURN(const ValueId weight, norm_weight(module, config_.hidden));
    std::vector<ValueId> inputs = {residual_, delta_, weight};
    if (!rms && builder_.has(module + ".bias")) {
      ENM_ASSIGN_OR_RETURN(inputs.emplace_back(),
                           builder_.parameter(module + ".bias", {config_.hidden}));
    }
    const char* op = rms ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization";
    const ValueId y = builder_.microsoft(op, cat(module, "/", op), std::move(inputs),
                                         {{"epsilon", config_.epsilon}});
    if (is_last) return y;
    residual_ = builder_.graph.add_value(module + "/sum", {DType::kFloat32, {}});
    auto& outputs = builder_.graph.nodes.back().outputs;
    outputs.insert(outputs.end(), {graph::kNoValue, graph::kNoValue, residual_});
    return y;
  }

  //   x += post_norm(attention(norm(x)));  x += post_norm(mlp(norm(x)))
  // or, in parallel,
  //   x += attention(norm(x)) + mlp(norm(x))
  Status add_block(int64_t layer) {
    const DecoderNames& names = config_.names;
    const std::string block = cat(names.blocks, layer, ".");
    ENM_ASSIGN_OR_RETURN(ValueId h, add_norm(cat(block, names.attention_norm)));
    ENM_ASSIGN_OR_RETURN(ValueId attended, add_attention(block, layer, h));
    if (config_.post_norms) {
      ENM_ASSIGN_OR_RETURN(
          attended, add_rms(cat(block, names.attention_post_norm), attended, config_.hidden));
    }
    if (!config_.parallel) {
      delta_ = attended;
      ENM_ASSIGN_OR_RETURN(h, add_norm(cat(block, names.mlp_norm)));
    }
    ENM_ASSIGN_OR_RETURN(delta_, add_mlp(block, h));
    if (config_.post_norms) {
      ENM_ASSIGN_OR_RETURN(delta_,
                           add_rms(cat(block, names.mlp_post_norm), delta_, config_.hidden));
    }
    if (config_.parallel) delta_ = builder_.f32("Add", block + "Add", {attended, delta_});
    return {};
  }

  // RMS over every head of x [batch, sequence, heads * head_dim].
  Result<ValueId> add_head_norm(const std::string& module, ValueId x, int64_t heads) {
    const ValueId by_head = builder_.f32(
        "Reshape", module + "/heads",
        {x, builder_.int64s(module + ".head_dims", {4}, {0, 0, heads, config_.head_dim})});
    ENM_ASSIGN_OR_RETURN(const ValueId y, add_rms(module, by_head, config_.head_dim));
    return builder_.f32(
        "Reshape", module + "/whole",
        {y, builder_.int64s(module + ".dims", {3}, {0, 0, heads * config_.head_dim})});
  }

  Result<ValueId> add_attention(const std::string& block, int64_t layer, ValueId h) {
    const DecoderNames& names = config_.names;
    const int64_t q_width = config_.heads * config_.head_dim;
    const int64_t kv_width = config_.kv_heads * config_.head_dim;
    ValueId q, k, v;
    if (config_.fused_qkv) {
      const std::string module = cat(block, names.query_key_value);
      ENM_ASSIGN_OR_RETURN(const ValueId all,
                           builder_.linear(module, h, config_.hidden, q_width + 2 * kv_width));
      const std::vector<ValueId> parts = builder_.split(module, all, {q_width, kv_width, kv_width});
      q = parts[0], k = parts[1], v = parts[2];
    } else {
      ENM_ASSIGN_OR_RETURN(q, builder_.linear(cat(block, names.query), h, config_.hidden, q_width));
      ENM_ASSIGN_OR_RETURN(k, builder_.linear(cat(block, names.key), h, config_.hidden, kv_width));
      ENM_ASSIGN_OR_RETURN(v,
                           builder_.linear(cat(block, names.value), h, config_.hidden, kv_width));
    }
    if (config_.qk_norm) {
      ENM_ASSIGN_OR_RETURN(q, add_head_norm(cat(block, names.query_norm), q, config_.heads));
      ENM_ASSIGN_OR_RETURN(k, add_head_norm(cat(block, names.key_norm), k, config_.kv_heads));
    }
    const ValueId mixed =
        add_grouped_query(cat(block, names.attention, "/GroupQueryAttention"), layer, q, k, v);
    return builder_.linear(cat(block, names.attention_output), mixed, q_width, config_.hidden);
  }

  // Over the layer's cache; adds present.N.key/value to the outputs.
  ValueId add_grouped_query(const std::string& name, int64_t layer, ValueId q, ValueId k,
                            ValueId v) {
    graph::Graph& graph = builder_.graph;
    const graph::ModelDescription::Layer& cache =
        builder_.description.layers[static_cast<size_t>(layer)];
    const Rotary& rotary = cache.window > 0 ? local_rotary_ : rotary_;
    const float scale = config_.attention_scale > 0
                            ? config_.attention_scale
                            : 1.0f / std::sqrt(static_cast<float>(config_.head_dim));
    const ValueId out = builder_.microsoft(
        "GroupQueryAttention", name,
        {q, k, v, graph.find_value(cache.past_key), graph.find_value(cache.past_value), seqlens_k_,
         total_length_, rotary.cos, rotary.sin},
        {{"num_heads", config_.heads},
         {"kv_num_heads", config_.kv_heads},
         {"scale", scale},
         {"do_rotary", int64_t{1}},
         {"rotary_interleaved", int64_t{0}},
         {"local_window_size", cache.window > 0 ? cache.window : int64_t{-1}}});
    if (config_.attention_softcap > 0) {
      graph.nodes.back().attributes["softcap"] = config_.attention_softcap;
    }
    for (const std::string* present : {&cache.present_key, &cache.present_value}) {
      const ValueId id = graph.add_value(*present, cache_type("past + sequence"));
      graph.nodes.back().outputs.push_back(id);
      graph.outputs.push_back(id);
    }
    return out;
  }

  ValueId add_activation(const std::string& name, ValueId x) {
    switch (config_.activation) {
      case Activation::kSilu:
        return builder_.microsoft("QuickGelu", name + "/Silu", {x}, {{"alpha", 1.0f}});
      case Activation::kQuickGelu:
        return builder_.microsoft("QuickGelu", name + "/QuickGelu", {x}, {{"alpha", 1.702f}});
      case Activation::kGelu:
        return builder_.microsoft("Gelu", name + "/Gelu", {x});
      case Activation::kGeluTanh:
        return builder_.microsoft("FastGelu", name + "/FastGelu", {x});
      case Activation::kRelu:
        break;
    }
    return builder_.f32("Relu", name + "/Relu", {x});
  }

  Result<ValueId> add_mlp(const std::string& block, ValueId h) {
    const DecoderNames& names = config_.names;
    const std::string mlp = cat(block, names.mlp);
    const int64_t wide = config_.intermediate;
    const auto down = [&](ValueId x) {
      return builder_.linear(cat(block, names.down), x, wide, config_.hidden);
    };
    if (!config_.gated) {
      ENM_ASSIGN_OR_RETURN(const ValueId up,
                           builder_.linear(cat(block, names.up), h, config_.hidden, wide));
      return down(add_activation(mlp, up));
    }
    ValueId gate, up;
    if (config_.fused_gate_up) {
      const std::string module = cat(block, names.gate_up);
      ENM_ASSIGN_OR_RETURN(const ValueId both,
                           builder_.linear(module, h, config_.hidden, 2 * wide));
      const std::vector<ValueId> parts = builder_.split(module, both, {wide, wide});
      gate = parts[0], up = parts[1];
    } else {
      ENM_ASSIGN_OR_RETURN(gate, builder_.linear(cat(block, names.gate), h, config_.hidden, wide));
      ENM_ASSIGN_OR_RETURN(up, builder_.linear(cat(block, names.up), h, config_.hidden, wide));
    }
    return down(builder_.f32("Mul", mlp + "/Mul", {add_activation(mlp, gate), up}));
  }

  Result<ValueId> add_head(ValueId x) {
    const std::string head(config_.names.head);
    ValueId logits;
    if (config_.tied_head) {
      ENM_ASSIGN_OR_RETURN(logits, builder_.product(head, cat(config_.names.embedding, ".weight"),
                                                    x, config_.hidden, config_.vocab));
    } else {
      ENM_ASSIGN_OR_RETURN(logits, builder_.linear(head, x, config_.hidden, config_.vocab));
    }
    builder_.description.head = builder_.description.modules.back().node;
    builder_.description.modules.pop_back();  // adapters leave the head alone
    if (config_.logit_softcap == 0) return logits;
    const ValueId cap = builder_.float_scalar(head + ".softcap", config_.logit_softcap);
    const ValueId small = builder_.f32("Div", head + "/Div", {logits, cap});
    const ValueId capped = builder_.f32("Tanh", head + "/Tanh", {small});
    return builder_.f32("Mul", head + "/Mul", {capped, cap});
  }

  // logits come first, as transformers.js expects.
  void add_output(ValueId logits) {
    builder_.description.output = "logits";
    builder_.output("logits", logits,
                    {DType::kFloat32, Shape{"batch_size", "sequence", config_.vocab}});
    auto& outputs = builder_.graph.outputs;
    outputs.insert(outputs.begin(), outputs.back());
    outputs.pop_back();
  }

  const DecoderConfig& config_;
  Builder builder_;
  const int64_t positions_;
  ValueId input_ids_ = graph::kNoValue;     // i64[batch_size, sequence]
  ValueId seqlens_k_ = graph::kNoValue;     // i32[batch_size]: past + sequence - 1
  ValueId total_length_ = graph::kNoValue;  // i32[]: past + sequence
  Rotary rotary_{}, local_rotary_{};
  ValueId residual_ = graph::kNoValue;
  ValueId delta_ = graph::kNoValue;  // what the residual gets before the next norm
};

}  // namespace

Result<graph::Graph> build_decoder(const DecoderConfig& config, const TensorSource& tensors,
                                   const DecoderOptions& options) {
  ENM_RETURN_IF_ERROR(check(config).in(cat("[", config.family, "]")));
  if (options.context < 0 || options.context > config.max_positions) {
    return ResourceExhausted("[", config.family, "] a context of ", options.context,
                             " positions; the model has ", config.max_positions);
  }
  const int64_t positions =
      options.context > 0 ? options.context : std::min(config.max_positions, kDefaultPositions);
  return DecoderWriter(config, tensors, positions).write();
}

}  // namespace enm::families
