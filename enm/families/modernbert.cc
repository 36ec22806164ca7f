// ModernBERT: pre-norm blocks, rotary positions, gated MLPs, and attention that looks `window / 2`
// tokens to either side in all but some layers.
//   x' = x + attention(norm(x));  x'' = x' + Wo(gelu(a) * b), [a, b] = Wi(norm(x'))
// Source: transformers, models/modernbert/modeling_modernbert.py
#include <cmath>

#include "enm/families/decoder_reader.h"
#include "enm/families/encoder.h"
#include "enm/families/rope.h"

namespace enm::families {
namespace {

using graph::DType;
using graph::ValueId;

struct ModernBertConfig {
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t vocab = 0;
  int64_t heads = 0;
  int64_t positions = 0;
  int64_t reach = 0;           // tokens to either side
  std::vector<bool> is_local;  // a layer
  RopePair rope;
  float epsilon = 0;

  int64_t head_dim() const { return hidden / heads; }
};

Result<ModernBertConfig> read_config(const Json& json) {
  ConfigReader config(json);
  ModernBertConfig bert;
  ENM_ASSIGN_OR_RETURN(bert.hidden, config.positive("hidden_size"));
  ENM_ASSIGN_OR_RETURN(bert.intermediate, config.positive("intermediate_size"));
  ENM_ASSIGN_OR_RETURN(bert.vocab, config.positive("vocab_size"));
  ENM_ASSIGN_OR_RETURN(bert.heads, config.positive("num_attention_heads"));
  ENM_ASSIGN_OR_RETURN(const int64_t layers, config.positive("num_hidden_layers"));
  ENM_ASSIGN_OR_RETURN(bert.positions, config.positive("max_position_embeddings", 8192));
  ENM_ASSIGN_OR_RETURN(const int64_t window, config.positive("local_attention", 128));
  bert.reach = window / 2;
  ENM_ASSIGN_OR_RETURN(const int64_t every, config.positive("global_attn_every_n_layers", 3));
  constexpr int64_t kMostLayers = 4096;
  if (bert.hidden % bert.heads != 0 || bert.head_dim() % 2 != 0 || layers > kMostLayers) {
    return Corrupt("hidden_size ", bert.hidden, ", num_attention_heads ", bert.heads, " and ",
                   layers, " layers do not fit");
  }
  ENM_ASSIGN_OR_RETURN(bert.is_local, read_sliding_layers(config, layers, [&](int64_t layer) {
                         return layer % every != 0;
                       }));
  ENM_ASSIGN_OR_RETURN(
      bert.rope, read_rope_pair(config, "global_rope_theta", "local_rope_theta",
                                {Rope{.theta = 160000}, Rope{.theta = 10000}}, bert.positions));
  for (const Rope* rope : {&bert.rope.global, &bert.rope.local}) {
    ENM_RETURN_IF_ERROR(check_rope(*rope, bert.head_dim()));
  }
  ENM_ASSIGN_OR_RETURN(const double epsilon, config.number("norm_eps", 1e-5));
  bert.epsilon = static_cast<float>(epsilon);
  ENM_RETURN_IF_ERROR(config.require("hidden_activation", "gelu"));
  ENM_RETURN_IF_ERROR(config.require("position_embedding_type", "absolute"));  // of old files
  // Whether there are biases, the tensors tell; the rest is of training and of heads.
  ENM_RETURN_IF_ERROR(config.finish(std::array<std::string_view, 14>{
      "attention_bias", "norm_bias", "mlp_bias", "tie_word_embeddings", "layer_norm_eps",
      "deterministic_flash_attn", "sparse_prediction", "sparse_pred_ignore_index",
      "reference_compile", "repad_logits_with_grad", "classifier_bias", "decoder_bias",
      "embedding_dropout", "mlp_dropout"}));
  return bert;
}

class ModernBertWriter {
 public:
  ModernBertWriter(const ModernBertConfig& config, Builder& builder)
      : config_(config), builder_(builder) {}

  Result<ValueId> write(const EncoderInputs& inputs) {
    padding_mask_ = inputs.padding_mask;
    first_position_ = builder_.int64s("positions.first", {1}, {0});
    global_ = add_rotary("", config_.rope.global);
    local_ = add_rotary("local_", config_.rope.local);
    add_window(inputs.input_ids);
    ENM_ASSIGN_OR_RETURN(
        ValueId x, builder_.embedding("embeddings.tok_embeddings", inputs.input_ids, config_.vocab,
                                      config_.hidden));
    ENM_ASSIGN_OR_RETURN(x, norm("embeddings.norm", x));
    for (size_t layer = 0; layer < config_.is_local.size(); ++layer) {
      ENM_ASSIGN_OR_RETURN(x, add_block(layer, x));
    }
    return norm("final_norm", x);
  }

 private:
  struct Rotary {
    ValueId cos, sin;
  };

  Result<ValueId> norm(const std::string& module, ValueId x) {
    return builder_.layer_norm(module, x, config_.hidden, config_.epsilon);
  }

  Rotary add_rotary(const std::string& prefix, const Rope& rope) {
    RotaryTables tables;
    append_rotary_rows(rotary_frequencies(rope, config_.head_dim(), false), rotary_scale(rope),
                       config_.positions, tables);
    const auto table = [&](const char* name, const std::vector<float>& rows) {
      const std::vector<int64_t> dims = {config_.positions, config_.head_dim() / 2};
      return builder_.constant(prefix + name, graph::make_tensor(DType::kFloat32, dims, rows));
    };
    return {table("cos_cache", tables.cos), table("sin_cache", tables.sin)};
  }

  // f32[1, 1, sequence, sequence]: what local attention adds to its scores, nothing within reach
  // and a weight of 0 beyond; a number that halves have, too.
  void add_window(ValueId input_ids) {
    const ValueId length = add_sequence_length(builder_, input_ids);
    const auto scalar = [&](const char* name, int64_t value) {
      return builder_.int64s(name, {}, {value});
    };
    const auto ints = [&](const char* op, std::vector<ValueId> in) {
      return builder_.node(op, "", cat("window/", op), std::move(in), DType::kInt64);
    };
    const ValueId end = ints("Squeeze", {length});
    const ValueId row = ints("Range", {scalar("window.0", 0), end, scalar("window.1", 1)});
    const ValueId axes = builder_.int64s("window.axes", {1}, {1});
    const ValueId steps = ints("Sub", {ints("Unsqueeze", {row, axes}), row});
    const ValueId distance =
        builder_.f32("Abs", "window/Abs", {builder_.cast("window/Cast", steps, DType::kFloat32)});
    const ValueId reach = builder_.float_scalar("window.reach", static_cast<float>(config_.reach));
    const ValueId beyond =
        builder_.node("Greater", "", "window/Greater", {distance, reach}, DType::kBool);
    const ValueId added = builder_.f32("Where", "window/Where",
                                       {beyond, builder_.float_scalar("window.none", -1e4f),
                                        builder_.float_scalar("window.all", 0)});
    window_ = builder_.f32("Unsqueeze", "window/batch",
                           {added, builder_.int64s("window.batch_axes", {2}, {0, 1})});
  }

  Result<ValueId> add_block(size_t layer, ValueId x) {
    const std::string block = cat("layers.", layer, ".");
    ValueId h = x;
    if (layer > 0) {
      ENM_ASSIGN_OR_RETURN(h, norm(block + "attn_norm", x));
    }
    ENM_ASSIGN_OR_RETURN(const ValueId attended, add_attention(block, config_.is_local[layer], h));
    const ValueId y = builder_.f32("Add", block + "attn/residual", {x, attended});
    ENM_ASSIGN_OR_RETURN(h, norm(block + "mlp_norm", y));
    ENM_ASSIGN_OR_RETURN(const ValueId both, builder_.linear(block + "mlp.Wi", h, config_.hidden,
                                                             2 * config_.intermediate));
    const auto halves =
        builder_.split(block + "mlp.Wi", both, {config_.intermediate, config_.intermediate});
    const ValueId active = builder_.microsoft("Gelu", block + "mlp/Gelu", {halves[0]});
    const ValueId gated = builder_.f32("Mul", block + "mlp/Mul", {active, halves[1]});
    ENM_ASSIGN_OR_RETURN(
        const ValueId narrow,
        builder_.linear(block + "mlp.Wo", gated, config_.intermediate, config_.hidden));
    return builder_.f32("Add", block + "mlp/residual", {y, narrow});
  }

  Result<ValueId> add_attention(const std::string& block, bool is_local, ValueId h) {
    const int64_t hidden = config_.hidden;
    ENM_ASSIGN_OR_RETURN(const ValueId all,
                         builder_.linear(block + "attn.Wqkv", h, hidden, 3 * hidden));
    const auto parts = builder_.split(block + "attn.Wqkv", all, {hidden, hidden, hidden});
    const Rotary& rotary = is_local ? local_ : global_;
    const auto turn = [&](const char* name, ValueId value) {
      return builder_.microsoft("RotaryEmbedding", block + name,
                                {value, first_position_, rotary.cos, rotary.sin},
                                {{"num_heads", config_.heads}, {"interleaved", int64_t{0}}});
    };
    const ValueId q = turn("attn/query", parts[0]);
    const ValueId k = turn("attn/key", parts[1]);
    const ValueId mixed = builder_.microsoft(
        "MultiHeadAttention", block + "attn/MultiHeadAttention",
        {q, k, parts[2], graph::kNoValue, padding_mask_, is_local ? window_ : graph::kNoValue},
        {{"num_heads", config_.heads},
         {"scale", 1.0f / std::sqrt(static_cast<float>(config_.head_dim()))}});
    return builder_.linear(block + "attn.Wo", mixed, hidden, hidden);
  }

  const ModernBertConfig& config_;
  Builder& builder_;
  ValueId padding_mask_ = graph::kNoValue;
  ValueId first_position_ = graph::kNoValue;
  ValueId window_ = graph::kNoValue;
  Rotary global_{}, local_{};
};

}  // namespace

Result<graph::Graph> build_modernbert(const Checkpoint& checkpoint) {
  const auto config = read_config(checkpoint.config);
  if (!config.ok()) return config.status().in("[modernbert] config.json");
  const bool prefixed = checkpoint.tensors.contains("model.embeddings.tok_embeddings.weight");
  Builder builder(checkpoint.tensors, prefixed ? "model." : "");
  builder.description.family = "modernbert";
  builder.description.context_length = config->positions;
  builder.description.vocabulary = config->vocab;
  builder.description.dimensions = config->hidden;
  const EncoderInputs inputs = add_encoder_inputs(builder, false);
  ENM_ASSIGN_OR_RETURN(const ValueId states, ModernBertWriter(*config, builder).write(inputs));
  return finish_encoder(builder, inputs, states, checkpoint.pooling);
}

}  // namespace enm::families
