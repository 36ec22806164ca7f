// Phi-3, 3.5 and 4-mini: Llama with queries, keys and values in one product, gate and up in
// another, and rotary positions that long texts change.
// Source: transformers, models/phi3/modeling_phi3.py
#include "enm/families/decoder_reader.h"

namespace enm::families {

Result<DecoderConfig> read_phi3(ConfigReader& config) {
  DecoderConfig base{.family = "phi3", .epsilon = 1e-5f, .fused_qkv = true, .fused_gate_up = true};
  ENM_ASSIGN_OR_RETURN(base.activation, read_activation(config, "hidden_act", "silu"));
  ENM_ASSIGN_OR_RETURN(DecoderConfig phi3, read_decoder(config, std::move(base)));
  ENM_RETURN_IF_ERROR(read_windows(config, phi3, [](int64_t) { return true; }));
  return phi3;
}

}  // namespace enm::families
