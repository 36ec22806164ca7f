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
  Rope rope, local_rope;
  float epsilon = 0;

  int64_t head_dim() const { return hidden / heads; }
};

void read_config(ConfigReader& config, ModernBertConfig& bert) {
  bert.hidden = config.positive("hidden_size");
  bert.intermediate = config.positive("intermediate_size");
  bert.vocab = config.positive("vocab_size");
  bert.heads = config.positive("num_attention_heads");
  bert.positions = config.positive("max_position_embeddings", 8192);
  bert.reach = config.positive("local_attention", 128) / 2;
  bert.epsilon = static_cast<float>(config.number("norm_eps", 1e-5));
  const int64_t every = config.positive("global_attn_every_n_layers", 3);
  bert.is_local = read_sliding_layers(config, read_layers(config),
                                      [&](int64_t layer) { return layer % every != 0; });
  bert.rope.theta = 160000;
  read_two_ropes(config, "global_rope_theta", bert.rope, "local_rope_theta", bert.local_rope,
                 bert.positions);
  constexpr int64_t kMostInTables = int64_t{1} << 26;
  if (bert.hidden % bert.heads != 0 || bert.head_dim() * bert.positions > kMostInTables) {
    config.fail(Corrupt("hidden_size ", bert.hidden, ", num_attention_heads ", bert.heads, " and ",
                        bert.positions, " positions do not fit"));
  }
  config.fail(check_rope(bert.rope, bert.head_dim()));
  config.fail(check_rope(bert.local_rope, bert.head_dim()));
  config.require("hidden_activation", "gelu");
  config.require("position_embedding_type", "absolute");  // of old files
  // Whether there are biases, the tensors tell; the rest is of training and of heads.
  for (std::string_view unused :
       {"attention_bias", "norm_bias", "mlp_bias", "tie_word_embeddings", "layer_norm_eps",
        "deterministic_flash_attn", "sparse_prediction", "sparse_pred_ignore_index",
        "reference_compile", "repad_logits_with_grad"}) {
    config.find(unused);
  }
}

class ModernBertWriter {
 public:
  ModernBertWriter(const ModernBertConfig& config, Builder& builder)
      : config_(config), builder_(builder) {}

  ValueId write(const EncoderInputs& inputs) {
    padding_mask_ = inputs.padding_mask;
    first_position_ = builder_.int64s("positions.first", {1}, {0});
    global_ = add_rotary("", config_.rope);
    local_ = add_rotary("local_", config_.local_rope);
    add_window(inputs.input_ids);
    ValueId x = builder_.embedding("embeddings.tok_embeddings", inputs.input_ids, config_.vocab,
                                   config_.hidden);
    x = norm("embeddings.norm", x);
    for (size_t layer = 0; layer < config_.is_local.size() && builder_.ok(); ++layer) {
      x = add_block(layer, x);
    }
    return norm("final_norm", x);
  }

 private:
  struct Rotary {
    ValueId cos, sin;
  };

  ValueId norm(const std::string& module, ValueId x) {
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
    const std::string module = "window";
    const ValueId zero = builder_.int64s("window.0", {}, {0});
    const ValueId one = builder_.int64s("window.1", {}, {1});
    const ValueId column_axis = builder_.int64s("window.column_axis", {1}, {1});
    const ValueId batch_axes = builder_.int64s("window.batch_axes", {2}, {0, 1});
    const ValueId end = builder_.i64("Squeeze", module, {add_sequence_length(builder_, input_ids)});
    const ValueId row = builder_.i64("Range", module, {zero, end, one});
    const ValueId column = builder_.i64("Unsqueeze", module, {row, column_axis});
    const ValueId steps = builder_.i64("Sub", module, {column, row});
    const ValueId distance =
        builder_.f32("Abs", module, {builder_.cast(module, steps, DType::kFloat32)});
    const ValueId reach = builder_.scalar("window.reach", static_cast<float>(config_.reach));
    const ValueId beyond = builder_.node("Greater", "", module, {distance, reach}, DType::kBool);
    const ValueId bias = builder_.f32(
        "Where", module,
        {beyond, builder_.scalar("window.none", -1e4f), builder_.scalar("window.all", 0)});
    window_ = builder_.f32("Unsqueeze", "window/batch", {bias, batch_axes});
  }

  ValueId add_block(size_t layer, ValueId x) {
    const std::string block = cat("layers.", layer, ".");
    const int64_t wide = config_.intermediate;
    const ValueId h = layer == 0 ? x : norm(block + "attn_norm", x);
    const ValueId attended = add_attention(block + "attn", config_.is_local[layer], h);
    const ValueId y = builder_.f32("Add", block + "attn", {x, attended});
    const std::string mlp = block + "mlp";
    const ValueId both =
        builder_.linear(mlp + ".Wi", norm(mlp + "_norm", y), config_.hidden, 2 * wide);
    ValueId halves[2];
    builder_.split(mlp + ".Wi", both, {wide, wide}, halves);
    const ValueId active = builder_.microsoft("Gelu", mlp, {halves[0]});
    const ValueId gated = builder_.f32("Mul", mlp, {active, halves[1]});
    const ValueId narrow = builder_.linear(mlp + ".Wo", gated, wide, config_.hidden);
    return builder_.f32("Add", mlp, {y, narrow});
  }

  ValueId add_attention(const std::string& module, bool is_local, ValueId h) {
    const int64_t hidden = config_.hidden;
    const ValueId all = builder_.linear(module + ".Wqkv", h, hidden, 3 * hidden);
    ValueId qkv[3];
    builder_.split(module + ".Wqkv", all, {hidden, hidden, hidden}, qkv);
    const Rotary& rotary = is_local ? local_ : global_;
    const auto turn = [&](const char* name, ValueId value) {
      return builder_.microsoft("RotaryEmbedding", module + name,
                                {value, first_position_, rotary.cos, rotary.sin},
                                {{"num_heads", config_.heads}, {"interleaved", int64_t{0}}});
    };
    const ValueId mixed =
        builder_.microsoft("MultiHeadAttention", module,
                           {turn("/query", qkv[0]), turn("/key", qkv[1]), qkv[2], graph::kNoValue,
                            padding_mask_, is_local ? window_ : graph::kNoValue},
                           {{"num_heads", config_.heads},
                            {"scale", 1.0f / std::sqrt(static_cast<float>(config_.head_dim()))}});
    return builder_.linear(module + ".Wo", mixed, hidden, hidden);
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
  ConfigReader reader(checkpoint.config);
  ModernBertConfig config;
  read_config(reader, config);
  const Status status = reader.finish();
  if (!status.ok()) return status.in("[modernbert] config.json");
  const bool prefixed = checkpoint.tensors.contains("model.embeddings.tok_embeddings.weight");
  Builder builder(checkpoint.tensors, prefixed ? "model." : "");
  builder.description.family = "modernbert";
  builder.description.context_length = config.positions;
  builder.description.vocabulary = config.vocab;
  builder.description.dimensions = config.hidden;
  const EncoderInputs inputs = add_encoder_inputs(builder, false);
  const ValueId states = ModernBertWriter(config, builder).write(inputs);
  return finish_encoder(builder, inputs, states, checkpoint.pooling);
}

}  // namespace enm::families
