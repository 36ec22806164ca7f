// Phi 1, 1.5, 2: attention and MLP side by side behind one LayerNorm, partial rotary positions,
// biases everywhere, an untied head with a bias.
//   x' = x + attention(norm(x)) + fc2(gelu(fc1(norm(x))))
// Source: transformers, models/phi/modeling_phi.py
#include "enm/families/decoder_reader.h"

namespace enm::families {

void read_phi(ConfigReader& config, DecoderConfig& phi) {
  phi.norm = DecoderConfig::Norm::kLayer;
  phi.epsilon = 1e-5f;
  phi.parallel = true;
  phi.gated = false;
  phi.rope.partial_factor = 0.5;
  phi.names.attention_output = "self_attn.dense";
  phi.names.up = "mlp.fc1";
  phi.names.down = "mlp.fc2";
  phi.names.final_norm = "model.final_layernorm";
  phi.activation = read_activation(config, "hidden_act", "gelu_new");
  config.require_flag("qk_layernorm", false);
  config.require_flag("tie_word_embeddings", false);
  read_decoder(config, phi);
}

}  // namespace enm::families
