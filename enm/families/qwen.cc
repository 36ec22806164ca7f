// Qwen2, Qwen2.5 and Qwen3: Llama with biases on queries, keys and values (2), or with queries and
// keys normalized by heads (3).
// Source: transformers, models/qwen2/modeling_qwen2.py, models/qwen3/modeling_qwen3.py
#include "enm/families/decoder_reader.h"

namespace enm::families {
namespace {

Result<DecoderConfig> read_qwen(ConfigReader& config, DecoderConfig base) {
  ENM_ASSIGN_OR_RETURN(base.activation, read_activation(config, "hidden_act", "silu"));
  ENM_RETURN_IF_ERROR(config.require_flag("use_mrope", false));
  ENM_ASSIGN_OR_RETURN(DecoderConfig qwen, read_decoder(config, std::move(base)));
  ENM_ASSIGN_OR_RETURN(const bool sliding, config.flag("use_sliding_window", false));
  ENM_ASSIGN_OR_RETURN(const int64_t first, config.count("max_window_layers", 28));
  const auto slides = [&](int64_t layer) { return layer >= first; };
  if (sliding) {
    ENM_RETURN_IF_ERROR(read_windows(config, qwen, slides));
  } else {
    for (std::string_view unused : {"sliding_window", "layer_types"}) config.find(unused);
  }
  return qwen;
}

}  // namespace

Result<DecoderConfig> read_qwen2(ConfigReader& config) {
  return read_qwen(config, {.family = "qwen2"});
}

Result<DecoderConfig> read_qwen3(ConfigReader& config) {
  return read_qwen(config, {.family = "qwen3", .head_dim = 128, .qk_norm = true});
}

}  // namespace enm::families
