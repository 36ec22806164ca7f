// Phi 1, 1.5, 2 (PhiForCausalLM): attention and MLP side by side behind one LayerNorm, partial
// rotary positions, biases everywhere, an untied head with a bias.
//   x' = x + attention(norm(x)) + fc2(gelu(fc1(norm(x))))
// Source: transformers, models/phi/modeling_phi.py
#include <array>

#include "enm/families/decoder.h"

namespace enm::families {
namespace {

using graph::ValueId;

struct PhiConfig {
  DecoderShape shape;
  Rope rope;
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t vocab = 0;
  float epsilon = 0;
};

Result<PhiConfig> read_config(const Json& json) {
  ConfigReader config(json);
  PhiConfig phi;
  ENM_ASSIGN_OR_RETURN(phi.hidden, config.positive("hidden_size"));
  ENM_ASSIGN_OR_RETURN(phi.intermediate, config.positive("intermediate_size"));
  ENM_ASSIGN_OR_RETURN(phi.vocab, config.positive("vocab_size"));
  ENM_ASSIGN_OR_RETURN(phi.shape.layers, config.positive("num_hidden_layers"));
  ENM_ASSIGN_OR_RETURN(phi.shape.heads, config.positive("num_attention_heads"));
  ENM_ASSIGN_OR_RETURN(phi.shape.kv_heads, config.positive("num_key_value_heads", phi.shape.heads));
  ENM_ASSIGN_OR_RETURN(phi.shape.max_positions, config.positive("max_position_embeddings"));
  if (phi.hidden % phi.shape.heads != 0 || phi.shape.heads % phi.shape.kv_heads != 0) {
    return Corrupt("hidden_size ", phi.hidden, ", num_attention_heads ", phi.shape.heads,
                   " and num_key_value_heads ", phi.shape.kv_heads, " do not divide");
  }
  phi.shape.head_dim = phi.hidden / phi.shape.heads;
  // Inputs and tables are sized by these before any tensor has vouched for them.
  constexpr int64_t kMost = 4096;
  if (phi.shape.layers > kMost || phi.shape.head_dim > kMost ||
      phi.shape.max_positions > (int64_t{1} << 20)) {
    return Corrupt(phi.shape.layers, " layers with heads of ", phi.shape.head_dim, " for ",
                   phi.shape.max_positions, " positions: more than any model has");
  }
  ENM_ASSIGN_OR_RETURN(const double epsilon, config.number("layer_norm_eps", 1e-5));
  phi.epsilon = static_cast<float>(epsilon);
  ENM_ASSIGN_OR_RETURN(phi.rope, read_rope(config, 10000.0, 0.5));
  ENM_RETURN_IF_ERROR(config.require("hidden_act", "gelu_new"));
  ENM_RETURN_IF_ERROR(config.require_flag("qk_layernorm", false));
  ENM_RETURN_IF_ERROR(config.require_flag("tie_word_embeddings", false));
  ENM_RETURN_IF_ERROR(config.finish({}));
  return phi;
}

Result<ValueId> add_block(Builder& builder, const PhiConfig& phi, const DecoderFrame& frame,
                          int64_t layer, ValueId x) {
  const std::string block = cat("model.layers.", layer);
  const std::string attention = block + ".self_attn";
  const int64_t kv_width = phi.shape.kv_heads * phi.shape.head_dim;
  ENM_ASSIGN_OR_RETURN(const ValueId h,
                       builder.layer_norm(block + ".input_layernorm", x, phi.hidden, phi.epsilon));
  ENM_ASSIGN_OR_RETURN(const ValueId q,
                       builder.linear(attention + ".q_proj", h, phi.hidden, phi.hidden));
  ENM_ASSIGN_OR_RETURN(const ValueId k,
                       builder.linear(attention + ".k_proj", h, phi.hidden, kv_width));
  ENM_ASSIGN_OR_RETURN(const ValueId v,
                       builder.linear(attention + ".v_proj", h, phi.hidden, kv_width));
  const ValueId mixed =
      add_attention(builder, phi.shape, frame, layer, attention + "/GroupQueryAttention", q, k, v);
  ENM_ASSIGN_OR_RETURN(const ValueId attended,
                       builder.linear(attention + ".dense", mixed, phi.hidden, phi.hidden));
  ENM_ASSIGN_OR_RETURN(const ValueId wide,
                       builder.linear(block + ".mlp.fc1", h, phi.hidden, phi.intermediate));
  const ValueId active = builder.node("FastGelu", graph::kMicrosoft, block + ".mlp/FastGelu",
                                      {wide}, graph::DType::kFloat32);
  ENM_ASSIGN_OR_RETURN(const ValueId narrow,
                       builder.linear(block + ".mlp.fc2", active, phi.intermediate, phi.hidden));
  const ValueId both = builder.f32("Add", block + "/Add", {attended, narrow});
  return builder.f32("Add", block + "/residual", {both, x});
}

Result<graph::Graph> build(const Checkpoint& checkpoint) {
  const auto config = read_config(checkpoint.config);
  if (!config.ok()) return config.status().in("[phi] config.json");
  const PhiConfig& phi = *config;
  Builder builder(checkpoint.tensors, "");
  builder.graph.name = builder.description.family = "phi";
  const DecoderFrame frame = add_decoder_inputs(builder, phi.shape, phi.rope);
  ENM_ASSIGN_OR_RETURN(const ValueId table,
                       builder.parameter("model.embed_tokens.weight", {phi.vocab, phi.hidden}));
  ValueId x = builder.f32("Gather", "model.embed_tokens/Gather", {table, frame.input_ids});
  for (int64_t layer = 0; layer < phi.shape.layers; ++layer) {
    ENM_ASSIGN_OR_RETURN(x, add_block(builder, phi, frame, layer, x));
  }
  ENM_ASSIGN_OR_RETURN(x, builder.layer_norm("model.final_layernorm", x, phi.hidden, phi.epsilon));
  ENM_ASSIGN_OR_RETURN(const ValueId logits, builder.linear("lm_head", x, phi.hidden, phi.vocab));
  add_logits(builder, logits, phi.vocab);
  return builder.finish();
}

}  // namespace

constexpr Family kPhi = {"phi", build};

}  // namespace enm::families
