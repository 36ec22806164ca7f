// What the config.json files of decoders have in common -> DecoderConfig.
#pragma once

#include "enm/base/function_ref.h"
#include "enm/families/config_reader.h"
#include "enm/families/decoder_config.h"

namespace enm::families {

/// Sizes, norms, rotary positions and the head, over the family's own choices and defaults in
/// `decoder`: head_dim 0 is hidden / heads.
void read_decoder(ConfigReader& config, DecoderConfig& decoder);

DecoderConfig::Activation read_activation(ConfigReader& config, std::string_view key,
                                          std::string_view fallback);

/// Rotary positions from either style of config.json: `rope_parameters` of newer files, or
/// `rope_theta`, `rope_scaling` and `partial_rotary_factor` at top level; kinds by `rope_type` or
/// `type`. `rope` holds the defaults.
void read_rope(ConfigReader& config, Rope& rope, int64_t max_positions);

/// The same where layers with windows turn by a base of their own: `rope_parameters` with a member
/// for each type of layers, or `local_key` beside `global_key` and `rope_scaling`.
void read_two_ropes(ConfigReader& config, std::string_view global_key, Rope& global,
                    std::string_view local_key, Rope& local, int64_t max_positions);

/// num_hidden_layers, of which no model has many.
int64_t read_layers(ConfigReader& config);

/// Layers with a window by `layer_types`, or else as `slides` says.
std::vector<bool> read_sliding_layers(ConfigReader& config, int64_t layers,
                                      FunctionRef<bool(int64_t layer)> slides);

/// DecoderConfig::windows: `sliding_window` in those layers; none where the key is absent.
void read_windows(ConfigReader& config, DecoderConfig& decoder,
                  FunctionRef<bool(int64_t layer)> slides);

}  // namespace enm::families
