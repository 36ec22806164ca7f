// Gemma 1, 2 and 3 (text): norms by 1 + weight, scaled embeddings, a tied head, wide heads.
// Source: transformers, models/gemma/modeling_gemma.py, gemma2/modeling_gemma2.py,
// gemma3/modeling_gemma3.py
#include <cmath>

#include "enm/families/decoder_reader.h"

namespace enm::families {
namespace {

Result<DecoderConfig> read_common(ConfigReader& config, DecoderConfig base) {
  base.head_dim = 256;
  base.norm_plus_one = true;
  base.tied_head = true;
  ENM_RETURN_IF_ERROR(config.require_flag("use_bidirectional_attention", false));
  ENM_ASSIGN_OR_RETURN(DecoderConfig gemma, read_decoder(config, std::move(base)));
  gemma.embedding_scale = std::sqrt(static_cast<float>(gemma.hidden));
  return gemma;
}

// Norms behind attention and MLP, windows, scores scaled by a number of its own.
Result<DecoderConfig> read_later(ConfigReader& config, DecoderConfig base) {
  base.post_norms = true;
  base.names.mlp_norm = "pre_feedforward_layernorm";
  ENM_ASSIGN_OR_RETURN(base.activation,
                       read_activation(config, "hidden_activation", "gelu_pytorch_tanh"));
  config.find("hidden_act");  // hidden_activation decides
  ENM_ASSIGN_OR_RETURN(DecoderConfig gemma, read_common(config, std::move(base)));
  ENM_RETURN_IF_ERROR(config.positive("sliding_window").status());  // of read_windows()
  ENM_ASSIGN_OR_RETURN(const double scalar, config.number("query_pre_attn_scalar", 256));
  if (!(scalar > 0)) return Corrupt("query_pre_attn_scalar is ", scalar);
  gemma.attention_scale = static_cast<float>(1 / std::sqrt(scalar));
  return gemma;
}

Result<float> read_cap(ConfigReader& config, std::string_view key) {
  ENM_ASSIGN_OR_RETURN(const double cap, config.number(key, 0));
  if (!(cap >= 0)) return Corrupt("key ", quoted(key), " is ", cap);
  return static_cast<float>(cap);
}

}  // namespace

Result<DecoderConfig> read_gemma(ConfigReader& config) {
  DecoderConfig gemma{.family = "gemma", .activation = DecoderConfig::Activation::kGeluTanh};
  // The first files say "gelu" and mean its approximation.
  ENM_ASSIGN_OR_RETURN(const std::string old_style, config.text("hidden_act", "gelu"));
  if (old_style != "gelu") {
    ENM_ASSIGN_OR_RETURN(gemma.activation, read_activation(config, "hidden_act", "gelu"));
  }
  if (config.find("hidden_activation") != nullptr) {
    ENM_ASSIGN_OR_RETURN(gemma.activation, read_activation(config, "hidden_activation", ""));
  }
  return read_common(config, std::move(gemma));
}

Result<DecoderConfig> read_gemma2(ConfigReader& config) {
  ENM_ASSIGN_OR_RETURN(DecoderConfig gemma, read_later(config, {.family = "gemma2"}));
  ENM_RETURN_IF_ERROR(read_windows(config, gemma, [](int64_t layer) { return layer % 2 == 0; }));
  ENM_ASSIGN_OR_RETURN(gemma.attention_softcap, read_cap(config, "attn_logit_softcapping"));
  ENM_ASSIGN_OR_RETURN(gemma.logit_softcap, read_cap(config, "final_logit_softcapping"));
  return gemma;
}

Result<DecoderConfig> read_gemma3(ConfigReader& config) {
  ENM_ASSIGN_OR_RETURN(
      DecoderConfig gemma,
      read_later(config, {.family = "gemma3_text", .qk_norm = true, .dual_rope = true}));
  ENM_ASSIGN_OR_RETURN(const int64_t pattern, config.positive("sliding_window_pattern", 6));
  ENM_RETURN_IF_ERROR(
      read_windows(config, gemma, [&](int64_t layer) { return (layer + 1) % pattern != 0; }));
  ENM_ASSIGN_OR_RETURN(
      const RopePair ropes,
      read_rope_pair(config, "rope_theta", "rope_local_base_freq",
                     {Rope{.theta = 1e6}, Rope{.theta = 1e4}}, gemma.max_positions));
  gemma.rope = ropes.global;
  gemma.local_rope = ropes.local;
  ENM_ASSIGN_OR_RETURN(gemma.attention_softcap, read_cap(config, "attn_logit_softcapping"));
  ENM_ASSIGN_OR_RETURN(gemma.logit_softcap, read_cap(config, "final_logit_softcapping"));
  if (gemma.attention_softcap > 0) return Unsupported("attn_logit_softcapping is set");
  return gemma;
}

}  // namespace enm::families
