// Phi-3, 3.5 and 4-mini: Llama with queries, keys and values in one product, gate and up in
// another, and rotary positions that long texts change.
// Source: transformers, models/phi3/modeling_phi3.py
#include "enm/families/decoder_reader.h"

namespace enm::families {

void read_phi3(ConfigReader& config, DecoderConfig& phi3) {
  phi3.epsilon = 1e-5f;
  phi3.fused_qkv = true;
  phi3.fused_gate_up = true;
  phi3.activation = read_activation(config, "hidden_act", "silu");
  read_decoder(config, phi3);
  read_windows(config, phi3, [](int64_t) { return true; });
}

}  // namespace enm::families
