// Gemma 1, 2 and 3 (text): norms by 1 + weight, scaled embeddings, a tied head, wide heads.
// Source: transformers, models/gemma/modeling_gemma.py, gemma2/modeling_gemma2.py,
// gemma3/modeling_gemma3.py
#include <cmath>

#include "enm/families/decoder_reader.h"

namespace enm::families {
namespace {

void read_common(ConfigReader& config, DecoderConfig& gemma) {
  gemma.head_dim = 256;
  gemma.norm_plus_one = true;
  gemma.tied_head = true;
  config.require_flag("use_bidirectional_attention", false);
  read_decoder(config, gemma);
  gemma.embedding_scale = std::sqrt(static_cast<float>(gemma.hidden));
}

float read_cap(ConfigReader& config, std::string_view key) {
  const double cap = config.number(key, 0);
  if (!(cap >= 0)) config.fail(Corrupt("key ", quoted(key), " is ", cap));
  return static_cast<float>(cap);
}

// Norms behind attention and MLP, windows, scores scaled by a number of its own.
void read_later(ConfigReader& config, DecoderConfig& gemma) {
  gemma.post_norms = true;
  gemma.names.mlp_norm = "pre_feedforward_layernorm";
  gemma.activation = read_activation(config, "hidden_activation", "gelu_pytorch_tanh");
  config.find("hidden_act");  // hidden_activation decides
  read_common(config, gemma);
  config.positive("sliding_window");  // of read_windows()
  const double scalar = config.number("query_pre_attn_scalar", 256);
  if (!(scalar > 0)) config.fail(Corrupt("query_pre_attn_scalar is ", scalar));
  gemma.attention_scale = static_cast<float>(1 / std::sqrt(scalar));
  gemma.attention_softcap = read_cap(config, "attn_logit_softcapping");
  gemma.logit_softcap = read_cap(config, "final_logit_softcapping");
}

}  // namespace

void read_gemma(ConfigReader& config, DecoderConfig& gemma) {
  gemma.activation = read_activation(config, "hidden_act", "gelu");
  // The first files say "gelu" and mean its approximation.
  if (gemma.activation == DecoderConfig::Activation::kGelu) {
    gemma.activation = DecoderConfig::Activation::kGeluTanh;
  }
  if (config.find("hidden_activation") != nullptr) {
    gemma.activation = read_activation(config, "hidden_activation", "");
  }
  read_common(config, gemma);
}

void read_gemma2(ConfigReader& config, DecoderConfig& gemma) {
  read_later(config, gemma);
  read_windows(config, gemma, [](int64_t layer) { return layer % 2 == 0; });
}

void read_gemma3(ConfigReader& config, DecoderConfig& gemma) {
  gemma.qk_norm = true;
  gemma.dual_rope = true;
  gemma.rope.theta = 1e6;
  read_later(config, gemma);
  if (gemma.attention_softcap > 0) config.fail(Unsupported("attn_logit_softcapping is set"));
  const int64_t pattern = config.positive("sliding_window_pattern", 6);
  read_windows(config, gemma, [&](int64_t layer) { return (layer + 1) % pattern != 0; });
  read_two_ropes(config, "rope_theta", gemma.rope, "rope_local_base_freq", gemma.local_rope,
                 gemma.max_positions);
}

}  // namespace enm::families
