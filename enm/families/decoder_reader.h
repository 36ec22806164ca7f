// What the config.json files of decoders have in common -> DecoderConfig.
#pragma once

#include "enm/base/function_ref.h"
#include "enm/families/config_reader.h"
#include "enm/families/decoder_config.h"

namespace enm::families {

/// Sizes, norms, activation, rotary positions and the head, over the family's own choices and
/// defaults in `base`: head_dim 0 is hidden / heads.
Result<DecoderConfig> read_decoder(ConfigReader& config, DecoderConfig base);

Result<DecoderConfig::Activation> read_activation(ConfigReader& config, std::string_view key,
                                                  std::string_view fallback);

/// Rotary positions from either style of config.json: `rope_parameters` of newer files, or
/// `rope_theta`, `rope_scaling` and `partial_rotary_factor` at top level; kinds by `rope_type` or
/// `type`.
Result<Rope> read_rope(ConfigReader& config, Rope base, int64_t max_positions);

/// The same where layers with windows turn by a base of their own: `rope_parameters` with a member
/// for each type of layers, or `local_key` beside `global_key` and `rope_scaling`.
struct RopePair {
  Rope global, local;
};
Result<RopePair> read_rope_pair(ConfigReader& config, std::string_view global_key,
                                std::string_view local_key, RopePair base, int64_t max_positions);

/// Layers with a window by `layer_types`, or else as `slides` says.
Result<std::vector<bool>> read_sliding_layers(ConfigReader& config, int64_t layers,
                                              FunctionRef<bool(int64_t layer)> slides);

/// DecoderConfig::windows: `sliding_window` in those layers; none where the key is absent.
Status read_windows(ConfigReader& config, DecoderConfig& decoder,
                    FunctionRef<bool(int64_t layer)> slides);

}  // namespace enm::families
