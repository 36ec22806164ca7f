// Llama 2 and 3, and those built like them: SmolLM2, TinyLlama, Mistral.
// Source: transformers, models/llama/modeling_llama.py, models/mistral/modeling_mistral.py
#include "enm/families/decoder_reader.h"

namespace enm::families {

Result<DecoderConfig> read_llama(ConfigReader& config) {
  DecoderConfig llama{.family = "llama"};
  ENM_RETURN_IF_ERROR(config.require_flag("rope_interleaved", false));
  ENM_RETURN_IF_ERROR(config.flag("mlp_bias", false).status());  // the tensors tell
  ENM_ASSIGN_OR_RETURN(llama.activation, read_activation(config, "hidden_act", "silu"));
  return read_decoder(config, std::move(llama));
}

// Llama with a window in every layer, or none.
Result<DecoderConfig> read_mistral(ConfigReader& config) {
  DecoderConfig base{.family = "mistral"};
  ENM_ASSIGN_OR_RETURN(base.activation, read_activation(config, "hidden_act", "silu"));
  ENM_ASSIGN_OR_RETURN(DecoderConfig mistral, read_decoder(config, std::move(base)));
  ENM_RETURN_IF_ERROR(read_windows(config, mistral, [](int64_t) { return true; }));
  return mistral;
}

}  // namespace enm::families
