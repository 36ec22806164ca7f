// Writes a decoder's graph from its config.
#include <cmath>

#include "enm/families/builder.h"
#include "enm/families/decoder_config.h"
#include "enm/families/rope.h"

namespace enm::families {
namespace {

using graph::DType;
using graph::kNoValue;
using graph::Shape;
using graph::ValueId;
using Activation = DecoderConfig::Activation;

Status check(const DecoderConfig& c) {
  for (int64_t size : {c.vocab, c.hidden, c.intermediate, c.layers, c.heads, c.kv_heads, c.head_dim,
                       c.max_positions}) {
    if (size < 1) return Corrupt("a size of the model is ", size);
  }
  if (c.layers > kMostLayers || c.head_dim > kMostHeadDim) {
    return Corrupt(c.layers, " layers and heads of ", c.head_dim, "; at most ", kMostLayers,
                   " and ", kMostHeadDim);
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
    residual_ = add_embedding();
    for (int64_t layer = 0; layer < config_.layers && builder_.ok(); ++layer) add_block(layer);
    const ValueId x = add_norm(std::string(config_.names.final_norm), true);
    add_output(add_head(x));
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
    const std::string module = "attention_mask";
    const ValueId axis = builder_.int64s(module + ".axis", {1}, {1});
    const ValueId one = builder_.int64s(module + ".one", {}, {1});
    const ValueId sum = builder_.i64("ReduceSum", module, {mask, axis}, {{"keepdims", int64_t{0}}});
    const ValueId last = builder_.i64("Sub", module, {sum, one});
    seqlens_k_ = builder_.cast(module + "/seqlens_k", last, DType::kInt32);
    const ValueId shape = builder_.i64("Shape", module, {mask});
    const ValueId width = builder_.i64("Gather", module, {shape, one}, {{"axis", int64_t{0}}});
    total_length_ = builder_.cast(module + "/total_length", width, DType::kInt32);
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
    const std::string module = prefix + "rotary";
    const ValueId is_long =
        builder_.node("Greater", "", module, {total_length_, original}, DType::kBool);
    const ValueId index = builder_.cast(module, is_long, DType::kInt64);
    return {builder_.f32("Gather", module + "/cos", {rotary.cos, index}),
            builder_.f32("Gather", module + "/sin", {rotary.sin, index})};
  }

  ValueId add_embedding() {
    const std::string module(config_.names.embedding);
    const ValueId rows = builder_.embedding(module, input_ids_, config_.vocab, config_.hidden);
    if (config_.embedding_scale == 1) return rows;
    const ValueId scale = builder_.scalar(module + ".scale", config_.embedding_scale);
    return builder_.f32("Mul", module, {rows, scale});
  }

  ValueId norm_weight(const std::string& module, int64_t width) {
    const ValueId weight = builder_.parameter(module + ".weight", {width});
    if (!config_.norm_plus_one) return weight;
    return builder_.f32("Add", module, {weight, builder_.scalar(module + ".one", 1)});
  }

  ValueId add_rms(const std::string& module, ValueId x, int64_t width) {
    return builder_.f32("SimplifiedLayerNormalization", module, {x, norm_weight(module, width)},
                        {{"axis", int64_t{-1}}, {"epsilon", config_.epsilon}});
  }

  // The norm of residual + delta; the sum is the residual from then on.
  ValueId add_norm(const std::string& module, bool is_last = false) {
    const bool rms = config_.norm == DecoderConfig::Norm::kRms;
    const int64_t width = config_.hidden;
    if (delta_ == kNoValue) {
      return rms ? add_rms(module, residual_, width)
                 : builder_.layer_norm(module, residual_, width, config_.epsilon);
    }
    const ValueId weight = norm_weight(module, width);
    const ValueId bias = rms ? kNoValue : builder_.parameter_if_any(module + ".bias", {width});
    const ValueId y = builder_.microsoft(
        rms ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization", module,
        {residual_, delta_, weight, bias}, {{"epsilon", config_.epsilon}});
    if (is_last) return y;
    builder_.graph.nodes.back().outputs.resize(3, kNoValue);
    residual_ = builder_.add_output(module + "/sum");
    return y;
  }

  //   x += post_norm(attention(norm(x)));  x += post_norm(mlp(norm(x)))
  // or, in parallel,
  //   x += attention(norm(x)) + mlp(norm(x))
  void add_block(int64_t layer) {
    const DecoderNames& names = config_.names;
    const std::string block = cat(names.blocks, layer, ".");
    ValueId h = add_norm(cat(block, names.attention_norm));
    ValueId attended = add_attention(block, layer, h);
    if (config_.post_norms) {
      attended = add_rms(cat(block, names.attention_post_norm), attended, config_.hidden);
    }
    if (!config_.parallel) {
      delta_ = attended;
      h = add_norm(cat(block, names.mlp_norm));
    }
    delta_ = add_mlp(block, h);
    if (config_.post_norms) {
      delta_ = add_rms(cat(block, names.mlp_post_norm), delta_, config_.hidden);
    }
    if (config_.parallel) {
      delta_ = builder_.f32("Add", cat(config_.names.blocks, layer), {attended, delta_});
    }
  }

  // RMS over every head of x [batch, sequence, heads * head_dim].
  ValueId add_head_norm(const std::string& module, ValueId x, int64_t heads) {
    const int64_t width = config_.head_dim;
    const ValueId head_dims = builder_.int64s(module + ".head_dims", {4}, {0, 0, heads, width});
    const ValueId dims = builder_.int64s(module + ".dims", {3}, {0, 0, heads * width});
    const ValueId by_head = builder_.f32("Reshape", module + "/heads", {x, head_dims});
    return builder_.f32("Reshape", module, {add_rms(module, by_head, width), dims});
  }

  ValueId add_attention(const std::string& block, int64_t layer, ValueId h) {
    const DecoderNames& names = config_.names;
    const int64_t hidden = config_.hidden;
    const int64_t q_width = config_.heads * config_.head_dim;
    const int64_t kv_width = config_.kv_heads * config_.head_dim;
    ValueId qkv[3];
    if (config_.fused_qkv) {
      const std::string module = cat(block, names.query_key_value);
      const ValueId all = builder_.linear(module, h, hidden, q_width + 2 * kv_width);
      builder_.split(module, all, {q_width, kv_width, kv_width}, qkv);
    } else {
      qkv[0] = builder_.linear(cat(block, names.query), h, hidden, q_width);
      qkv[1] = builder_.linear(cat(block, names.key), h, hidden, kv_width);
      qkv[2] = builder_.linear(cat(block, names.value), h, hidden, kv_width);
    }
    if (config_.qk_norm) {
      qkv[0] = add_head_norm(cat(block, names.query_norm), qkv[0], config_.heads);
      qkv[1] = add_head_norm(cat(block, names.key_norm), qkv[1], config_.kv_heads);
    }
    const ValueId mixed = add_grouped_query(cat(block, names.attention), layer, qkv);
    return builder_.linear(cat(block, names.attention_output), mixed, q_width, hidden);
  }

  // Over the layer's cache; adds present.N.key/value to the outputs.
  ValueId add_grouped_query(const std::string& module, int64_t layer, const ValueId* qkv) {
    graph::Graph& graph = builder_.graph;
    const graph::ModelDescription::Layer& cache =
        builder_.description.layers[static_cast<size_t>(layer)];
    const Rotary& rotary = cache.window > 0 ? local_rotary_ : rotary_;
    const float scale = config_.attention_scale > 0
                            ? config_.attention_scale
                            : 1.0f / std::sqrt(static_cast<float>(config_.head_dim));
    const ValueId out = builder_.microsoft(
        "GroupQueryAttention", module,
        {qkv[0], qkv[1], qkv[2], graph.find_value(cache.past_key),
         graph.find_value(cache.past_value), seqlens_k_, total_length_, rotary.cos, rotary.sin},
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

  ValueId add_activation(const std::string& module, ValueId x) {
    switch (config_.activation) {
      case Activation::kSilu:
        return builder_.microsoft("QuickGelu", module, {x}, {{"alpha", 1.0f}});
      case Activation::kQuickGelu:
        return builder_.microsoft("QuickGelu", module, {x}, {{"alpha", 1.702f}});
      case Activation::kGelu:
        return builder_.microsoft("Gelu", module, {x});
      case Activation::kGeluTanh:
        return builder_.microsoft("FastGelu", module, {x});
      case Activation::kRelu:
        break;
    }
    return builder_.f32("Relu", module, {x});
  }

  ValueId add_mlp(const std::string& block, ValueId h) {
    const DecoderNames& names = config_.names;
    const std::string mlp = cat(block, names.mlp);
    const int64_t hidden = config_.hidden;
    const int64_t wide = config_.intermediate;
    ValueId gate_up[2] = {kNoValue, kNoValue};
    if (config_.gated && config_.fused_gate_up) {
      const std::string module = cat(block, names.gate_up);
      builder_.split(module, builder_.linear(module, h, hidden, 2 * wide), {wide, wide}, gate_up);
    } else {
      if (config_.gated) gate_up[0] = builder_.linear(cat(block, names.gate), h, hidden, wide);
      gate_up[1] = builder_.linear(cat(block, names.up), h, hidden, wide);
    }
    ValueId x = add_activation(mlp, gate_up[config_.gated ? 0 : 1]);
    if (config_.gated) x = builder_.f32("Mul", mlp, {x, gate_up[1]});
    return builder_.linear(cat(block, names.down), x, wide, hidden);
  }

  ValueId add_head(ValueId x) {
    const std::string head(config_.names.head);
    const ValueId logits = config_.tied_head
                               ? builder_.product(head, cat(config_.names.embedding, ".weight"), x,
                                                  config_.hidden, config_.vocab)
                               : builder_.linear(head, x, config_.hidden, config_.vocab);
    builder_.description.head = builder_.description.modules.back().node;
    builder_.description.modules.pop_back();  // adapters leave the head alone
    if (config_.logit_softcap == 0) return logits;
    const ValueId cap = builder_.scalar(head + ".softcap", config_.logit_softcap);
    const ValueId capped = builder_.f32("Tanh", head, {builder_.f32("Div", head, {logits, cap})});
    return builder_.f32("Mul", head, {capped, cap});
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
  ValueId input_ids_ = kNoValue;     // i64[batch_size, sequence]
  ValueId seqlens_k_ = kNoValue;     // i32[batch_size]: past + sequence - 1
  ValueId total_length_ = kNoValue;  // i32[]: past + sequence
  Rotary rotary_{}, local_rotary_{};
  ValueId residual_ = kNoValue;
  ValueId delta_ = kNoValue;  // what the residual gets before the next norm
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
