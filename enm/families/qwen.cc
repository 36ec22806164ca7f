// Qwen2, Qwen2.5 and Qwen3: Llama with biases on queries, keys and values (2), or with queries and
// keys normalized by heads (3).
// Source: transformers, models/qwen2/modeling_qwen2.py, models/qwen3/modeling_qwen3.py
#include "enm/families/decoder_reader.h"

namespace enm::families {

void read_qwen2(ConfigReader& config, DecoderConfig& qwen) {
  qwen.activation = read_activation(config, "hidden_act", "silu");
  config.require_flag("use_mrope", false);
  read_decoder(config, qwen);
  const bool sliding = config.flag("use_sliding_window", false);
  const int64_t first = config.count("max_window_layers", 28);
  if (sliding) {
    read_windows(config, qwen, [&](int64_t layer) { return layer >= first; });
  } else {
    for (std::string_view unused : {"sliding_window", "layer_types"}) config.find(unused);
  }
}

void read_qwen3(ConfigReader& config, DecoderConfig& qwen) {
  qwen.head_dim = 128;
  qwen.qk_norm = true;
  read_qwen2(config, qwen);
}

}  // namespace enm::families
