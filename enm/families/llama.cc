// Llama 2 and 3, and those built like them: SmolLM2, TinyLlama, Mistral.
// Source: transformers, models/llama/modeling_llama.py, models/mistral/modeling_mistral.py
#include "enm/families/decoder_reader.h"

namespace enm::families {

void read_llama(ConfigReader& config, DecoderConfig& llama) {
  llama.activation = read_activation(config, "hidden_act", "silu");
  config.require_flag("rope_interleaved", false);
  config.flag("mlp_bias", false);  // the tensors tell
  read_decoder(config, llama);
}

// Llama with a window in every layer, or none.
void read_mistral(ConfigReader& config, DecoderConfig& mistral) {
  mistral.activation = read_activation(config, "hidden_act", "silu");
  read_decoder(config, mistral);
  read_windows(config, mistral, [](int64_t) { return true; });
}

}  // namespace enm::families
