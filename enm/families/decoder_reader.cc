#include "enm/families/decoder_reader.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace enm::families {
namespace {

using Activation = DecoderConfig::Activation;
using Kind = Rope::Kind;

// The value of the first of `names` that is `name`; -1 if there is none.
int index_of(std::string_view name, std::span<const std::string_view> names) {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

Kind read_kind(ConfigReader& scaling) {
  constexpr std::string_view kNames[] = {"default", "linear",   "dynamic",
                                         "yarn",    "longrope", "llama3"};  // in Kind's order
  const std::string old_style = scaling.text("type", "default");
  const std::string type = scaling.text("rope_type", old_style);
  // Phi-3's first files call it "su" or "yarn".
  if (scaling.find("short_factor") != nullptr && (type == "su" || type == "yarn")) {
    return Kind::kLongRope;
  }
  const int kind = index_of(type, kNames);
  if (kind < 0) {
    scaling.fail(Unsupported("rope_type ", quoted(type), " is not supported; default, linear, ",
                             "dynamic, yarn, longrope and llama3 are"));
  }
  return static_cast<Kind>(std::max(kind, 0));
}

void read_yarn(ConfigReader& scaling, Rope& rope) {
  rope.beta_fast = scaling.number("beta_fast", rope.beta_fast);
  rope.beta_slow = scaling.number("beta_slow", rope.beta_slow);
  rope.truncate = scaling.flag("truncate", true);
  const double mscale = scaling.number("mscale", 0);
  const double mscale_all = scaling.number("mscale_all_dim", 0);
  scaling.find("finetuned");  // says how the model was made
  if (rope.attention_factor > 0 || mscale <= 0 || mscale_all <= 0 || rope.factor <= 1) return;
  const double grown = 0.1 * std::log(rope.factor);
  rope.attention_factor = (mscale * grown + 1) / (mscale_all * grown + 1);
}

// The keys of `rope_parameters` or `rope_scaling`. `original` is what config.json itself says.
void read_scaling(ConfigReader& config, std::string_view where, const Json* json, Rope& rope,
                  int64_t original, int64_t max_positions) {
  if (json == nullptr || json->members().empty()) return;
  ConfigReader scaling(*json);
  rope.kind = read_kind(scaling);
  rope.theta = scaling.number("rope_theta", rope.theta);
  rope.partial_factor = scaling.number("partial_rotary_factor", rope.partial_factor);
  const int64_t inner = scaling.positive("original_max_position_embeddings", max_positions);
  rope.original_positions = original > 0 ? original : inner;
  const double ratio =
      static_cast<double>(max_positions) / static_cast<double>(rope.original_positions);
  const bool needs_factor = rope.kind != Kind::kDefault && rope.kind != Kind::kLongRope;
  if (needs_factor && scaling.find("factor") == nullptr) {
    scaling.fail(Corrupt("key \"factor\" is missing"));
  }
  rope.factor = scaling.number("factor", ratio);
  rope.attention_factor = scaling.number("attention_factor", 0);
  if (rope.kind == Kind::kYarn) read_yarn(scaling, rope);
  if (rope.kind == Kind::kLlama3) {
    rope.low_frequency_factor = scaling.number("low_freq_factor", 1);
    rope.high_frequency_factor = scaling.number("high_freq_factor", 4);
  }
  if (rope.kind == Kind::kLongRope) {
    rope.short_factors = scaling.numbers("short_factor");
    rope.long_factors = scaling.numbers("long_factor");
  }
  config.fail(scaling.finish().in(where));
}

}  // namespace

Activation read_activation(ConfigReader& config, std::string_view key, std::string_view fallback) {
  constexpr std::string_view kNames[] = {
      "silu", "swish", "gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "quick_gelu", "relu"};
  constexpr Activation kActivations[] = {
      Activation::kSilu,     Activation::kSilu,     Activation::kGelu,      Activation::kGeluTanh,
      Activation::kGeluTanh, Activation::kGeluTanh, Activation::kQuickGelu, Activation::kRelu};
  const std::string name = config.text(key, fallback);
  const int index = index_of(name, kNames);
  if (index >= 0) return kActivations[index];
  config.fail(Unsupported("key ", quoted(key), ": activation ", quoted(name), " is not supported"));
  return Activation::kSilu;
}

void read_rope(ConfigReader& config, Rope& rope, int64_t max_positions) {
  rope.theta = config.number("rope_theta", rope.theta);
  rope.partial_factor = config.number("partial_rotary_factor", rope.partial_factor);
  const int64_t original = config.count("original_max_position_embeddings", 0);
  for (std::string_view key : {"rope_scaling", "rope_parameters"}) {
    read_scaling(config, key, config.find(key), rope, original, max_positions);
  }
}

void read_two_ropes(ConfigReader& config, std::string_view global_key, Rope& global,
                    std::string_view local_key, Rope& local, int64_t max_positions) {
  global.theta = config.number(global_key, global.theta);
  local.theta = config.number(local_key, local.theta);
  const auto read = [&](ConfigReader& reader, std::string_view key, Rope& rope) {
    read_scaling(config, key, reader.find(key), rope, 0, max_positions);
  };
  read(config, "rope_scaling", global);
  const Json* both = config.find("rope_parameters");
  if (both == nullptr) return;
  ConfigReader types(*both);
  read(types, "full_attention", global);
  read(types, "sliding_attention", local);
  config.fail(types.finish().in("rope_parameters"));
}

int64_t read_layers(ConfigReader& config) {
  const int64_t layers = config.positive("num_hidden_layers");
  if (layers <= kMostLayers) return layers;
  config.fail(Corrupt("num_hidden_layers is ", layers, "; at most ", kMostLayers));
  return 1;
}

std::vector<bool> read_sliding_layers(ConfigReader& config, int64_t layers,
                                      FunctionRef<bool(int64_t layer)> slides) {
  std::vector<bool> out;
  const Json* types = config.find("layer_types");
  for (int64_t layer = 0; layer < layers; ++layer) {
    if (types == nullptr || layer >= static_cast<int64_t>(types->items().size())) {
      out.push_back(slides(layer));
      continue;
    }
    const std::string& type = types->items()[static_cast<size_t>(layer)].string();
    out.push_back(type == "sliding_attention");
    if (!out.back() && type != "full_attention") {
      config.fail(Unsupported("layer_types has ", quoted(type),
                              "; full_attention and sliding_attention are supported"));
    }
  }
  if (types != nullptr && types->items().size() != out.size()) {
    config.fail(Corrupt("layer_types has ", types->items().size(), " items; num_hidden_layers is ",
                        layers));
  }
  return out;
}

void read_windows(ConfigReader& config, DecoderConfig& decoder,
                  FunctionRef<bool(int64_t layer)> slides) {
  const std::vector<bool> sliding = read_sliding_layers(config, decoder.layers, slides);
  const int64_t window = config.count("sliding_window", 0);
  if (std::ranges::find(sliding, true) == sliding.end()) return;
  if (window == 0) {
    if (config.find("layer_types") != nullptr) config.fail(Corrupt("sliding_window is missing"));
    return;
  }
  for (bool slides_here : sliding) decoder.windows.push_back(slides_here ? window : 0);
}

void read_decoder(ConfigReader& config, DecoderConfig& decoder) {
  decoder.hidden = config.positive("hidden_size");
  decoder.intermediate = config.positive("intermediate_size");
  decoder.vocab = config.positive("vocab_size");
  decoder.layers = read_layers(config);
  decoder.heads = config.positive("num_attention_heads");
  decoder.kv_heads = config.positive("num_key_value_heads", decoder.heads);
  decoder.head_dim = config.count("head_dim", decoder.head_dim);
  if (decoder.head_dim == 0) {
    decoder.head_dim = decoder.hidden / decoder.heads;
    if (decoder.hidden % decoder.heads != 0) {
      config.fail(Corrupt("hidden_size ", decoder.hidden, " is no multiple of num_attention_heads ",
                          decoder.heads));
    }
  }
  decoder.max_positions = config.positive("max_position_embeddings");
  const bool rms = decoder.norm == DecoderConfig::Norm::kRms;
  decoder.epsilon =
      static_cast<float>(config.number(rms ? "rms_norm_eps" : "layer_norm_eps", decoder.epsilon));
  decoder.tied_head = config.flag("tie_word_embeddings", decoder.tied_head);
  config.flag("attention_bias", false);  // whether there are biases, the tensors tell
  if (decoder.dual_rope) return;
  read_rope(config, decoder.rope, decoder.max_positions);
  if (decoder.rope.kind == Kind::kYarn) {
    const double stretched =
        decoder.rope.factor * static_cast<double>(decoder.rope.original_positions);
    constexpr double kMost = 1 << 24;
    decoder.max_positions =
        std::max(decoder.max_positions, static_cast<int64_t>(std::min(stretched, kMost)));
  }
}

}  // namespace enm::families
