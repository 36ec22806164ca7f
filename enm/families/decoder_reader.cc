#include "enm/families/decoder_reader.h"

#include <algorithm>
#include <cmath>

namespace enm::families {
namespace {

using Activation = DecoderConfig::Activation;
using Kind = Rope::Kind;

Result<Kind> read_kind(ConfigReader& scaling) {
  ENM_ASSIGN_OR_RETURN(const std::string old_style, scaling.text("type", "default"));
  ENM_ASSIGN_OR_RETURN(const std::string type, scaling.text("rope_type", old_style));
  // Phi-3's first files call it "su" or "yarn".
  if (scaling.find("short_factor") != nullptr && (type == "su" || type == "yarn")) {
    return Kind::kLongRope;
  }
  for (const auto& [name, kind] : {std::pair("default", Kind::kDefault),
                                   {"linear", Kind::kLinear},
                                   {"dynamic", Kind::kDynamic},
                                   {"yarn", Kind::kYarn},
                                   {"longrope", Kind::kLongRope},
                                   {"llama3", Kind::kLlama3}}) {
    if (type == name) return kind;
  }
  return Unsupported("rope_type ", quoted(type), " is not supported; default, linear, dynamic, ",
                     "yarn, longrope and llama3 are");
}

Status read_yarn(ConfigReader& scaling, Rope& rope) {
  ENM_ASSIGN_OR_RETURN(rope.beta_fast, scaling.number("beta_fast", rope.beta_fast));
  ENM_ASSIGN_OR_RETURN(rope.beta_slow, scaling.number("beta_slow", rope.beta_slow));
  ENM_ASSIGN_OR_RETURN(rope.truncate, scaling.flag("truncate", true));
  ENM_ASSIGN_OR_RETURN(const double mscale, scaling.number("mscale", 0));
  ENM_ASSIGN_OR_RETURN(const double mscale_all, scaling.number("mscale_all_dim", 0));
  scaling.find("finetuned");  // says how the model was made
  if (rope.attention_factor > 0 || mscale <= 0 || mscale_all <= 0 || rope.factor <= 1) return {};
  const double grown = 0.1 * std::log(rope.factor);
  rope.attention_factor = (mscale * grown + 1) / (mscale_all * grown + 1);
  return {};
}

// The keys of `rope_parameters` or `rope_scaling`. `original` is what config.json itself says.
Result<Rope> read_scaling(const Json& json, Rope rope, int64_t original, int64_t max_positions) {
  ConfigReader scaling(json);
  ENM_ASSIGN_OR_RETURN(rope.kind, read_kind(scaling));
  ENM_ASSIGN_OR_RETURN(rope.theta, scaling.number("rope_theta", rope.theta));
  ENM_ASSIGN_OR_RETURN(rope.partial_factor,
                       scaling.number("partial_rotary_factor", rope.partial_factor));
  ENM_ASSIGN_OR_RETURN(const int64_t inner,
                       scaling.positive("original_max_position_embeddings", max_positions));
  rope.original_positions = original > 0 ? original : inner;
  const double ratio =
      static_cast<double>(max_positions) / static_cast<double>(rope.original_positions);
  const bool needs_factor = rope.kind != Kind::kDefault && rope.kind != Kind::kLongRope;
  if (needs_factor) ENM_RETURN_IF_ERROR(json.get_double("factor").status());
  ENM_ASSIGN_OR_RETURN(rope.factor, scaling.number("factor", ratio));
  ENM_ASSIGN_OR_RETURN(rope.attention_factor, scaling.number("attention_factor", 0));
  if (rope.kind == Kind::kYarn) ENM_RETURN_IF_ERROR(read_yarn(scaling, rope));
  if (rope.kind == Kind::kLlama3) {
    ENM_ASSIGN_OR_RETURN(rope.low_frequency_factor, scaling.number("low_freq_factor", 1));
    ENM_ASSIGN_OR_RETURN(rope.high_frequency_factor, scaling.number("high_freq_factor", 4));
  }
  if (rope.kind == Kind::kLongRope) {
    ENM_ASSIGN_OR_RETURN(rope.short_factors, scaling.numbers("short_factor"));
    ENM_ASSIGN_OR_RETURN(rope.long_factors, scaling.numbers("long_factor"));
  }
  ENM_RETURN_IF_ERROR(scaling.finish({}));
  return rope;
}

Status check_heads(const DecoderConfig& decoder) {
  if (decoder.heads % decoder.kv_heads == 0 &&
      (decoder.head_dim > 0 || decoder.hidden % decoder.heads == 0)) {
    return {};
  }
  return Corrupt("hidden_size ", decoder.hidden, ", num_attention_heads ", decoder.heads,
                 " and num_key_value_heads ", decoder.kv_heads, " do not divide");
}

}  // namespace

Result<Activation> read_activation(ConfigReader& config, std::string_view key,
                                   std::string_view fallback) {
  ENM_ASSIGN_OR_RETURN(const std::string name, config.text(key, fallback));
  for (const auto& [known, activation] : {std::pair("silu", Activation::kSilu),
                                          {"swish", Activation::kSilu},
                                          {"gelu", Activation::kGelu},
                                          {"gelu_new", Activation::kGeluTanh},
                                          {"gelu_fast", Activation::kGeluTanh},
                                          {"gelu_pytorch_tanh", Activation::kGeluTanh},
                                          {"quick_gelu", Activation::kQuickGelu},
                                          {"relu", Activation::kRelu}}) {
    if (name == known) return activation;
  }
  return Unsupported("key ", quoted(key), ": activation ", quoted(name), " is not supported");
}

Result<Rope> read_rope(ConfigReader& config, Rope rope, int64_t max_positions) {
  ENM_ASSIGN_OR_RETURN(rope.theta, config.number("rope_theta", rope.theta));
  ENM_ASSIGN_OR_RETURN(rope.partial_factor,
                       config.number("partial_rotary_factor", rope.partial_factor));
  const bool has_original = config.find("original_max_position_embeddings") != nullptr;
  ENM_ASSIGN_OR_RETURN(const int64_t original,
                       config.positive("original_max_position_embeddings", 1));
  for (std::string_view key : {"rope_scaling", "rope_parameters"}) {
    const Json* scaling = config.find(key);
    if (scaling == nullptr || scaling->members().empty()) continue;
    auto read = read_scaling(*scaling, rope, has_original ? original : 0, max_positions);
    if (!read.ok()) return read.status().in(key);
    rope = *std::move(read);
  }
  return rope;
}

Result<RopePair> read_rope_pair(ConfigReader& config, std::string_view global_key,
                                std::string_view local_key, RopePair pair, int64_t max_positions) {
  ENM_ASSIGN_OR_RETURN(pair.global.theta, config.number(global_key, pair.global.theta));
  ENM_ASSIGN_OR_RETURN(pair.local.theta, config.number(local_key, pair.local.theta));
  const auto read = [&](const Json* json, std::string_view key, Rope& rope) -> Status {
    if (json == nullptr || json->is_null()) return {};
    auto one = read_scaling(*json, rope, 0, max_positions);
    if (one.ok()) rope = *std::move(one);
    return one.ok() ? Status() : one.status().in(key);
  };
  ENM_RETURN_IF_ERROR(read(config.find("rope_scaling"), "rope_scaling", pair.global));
  if (const Json* both = config.find("rope_parameters")) {
    ConfigReader types(*both);
    ENM_RETURN_IF_ERROR(read(types.find("full_attention"), "full_attention", pair.global));
    ENM_RETURN_IF_ERROR(read(types.find("sliding_attention"), "sliding_attention", pair.local));
    ENM_RETURN_IF_ERROR(types.finish({}).in("rope_parameters"));
  }
  return pair;
}

Result<std::vector<bool>> read_sliding_layers(ConfigReader& config, int64_t layers,
                                              FunctionRef<bool(int64_t layer)> slides) {
  std::vector<bool> out;
  const Json* types = config.find("layer_types");
  if (types == nullptr) {
    for (int64_t layer = 0; layer < layers; ++layer) out.push_back(slides(layer));
    return out;
  }
  for (const Json& type : types->items()) {
    const bool sliding = type.string() == "sliding_attention";
    if (!sliding && type.string() != "full_attention") {
      return Unsupported("layer_types has ", quoted(type.string()),
                         "; full_attention and sliding_attention are supported");
    }
    out.push_back(sliding);
  }
  if (out.size() == static_cast<size_t>(layers)) return out;
  return Corrupt("layer_types has ", out.size(), " items; num_hidden_layers is ", layers);
}

Status read_windows(ConfigReader& config, DecoderConfig& decoder,
                    FunctionRef<bool(int64_t layer)> slides) {
  const bool has_window = config.find("sliding_window") != nullptr;
  ENM_ASSIGN_OR_RETURN(const std::vector<bool> sliding,
                       read_sliding_layers(config, decoder.layers, slides));
  if (std::ranges::find(sliding, true) == sliding.end()) return {};
  if (!has_window) {
    return config.find("layer_types") == nullptr ? Status() : Corrupt("sliding_window is missing");
  }
  ENM_ASSIGN_OR_RETURN(const int64_t window, config.positive("sliding_window"));
  for (bool slides_here : sliding) decoder.windows.push_back(slides_here ? window : 0);
  return {};
}

Result<DecoderConfig> read_decoder(ConfigReader& config, DecoderConfig decoder) {
  ENM_ASSIGN_OR_RETURN(decoder.hidden, config.positive("hidden_size"));
  ENM_ASSIGN_OR_RETURN(decoder.intermediate, config.positive("intermediate_size"));
  ENM_ASSIGN_OR_RETURN(decoder.vocab, config.positive("vocab_size"));
  ENM_ASSIGN_OR_RETURN(decoder.layers, config.positive("num_hidden_layers"));
  ENM_ASSIGN_OR_RETURN(decoder.heads, config.positive("num_attention_heads"));
  ENM_ASSIGN_OR_RETURN(decoder.kv_heads, config.positive("num_key_value_heads", decoder.heads));
  ENM_ASSIGN_OR_RETURN(decoder.head_dim, config.count("head_dim", decoder.head_dim));
  ENM_RETURN_IF_ERROR(check_heads(decoder));
  if (decoder.head_dim == 0) decoder.head_dim = decoder.hidden / decoder.heads;
  ENM_ASSIGN_OR_RETURN(decoder.max_positions, config.positive("max_position_embeddings"));
  const bool rms = decoder.norm == DecoderConfig::Norm::kRms;
  ENM_ASSIGN_OR_RETURN(const double epsilon,
                       config.number(rms ? "rms_norm_eps" : "layer_norm_eps", decoder.epsilon));
  decoder.epsilon = static_cast<float>(epsilon);
  ENM_ASSIGN_OR_RETURN(decoder.tied_head, config.flag("tie_word_embeddings", decoder.tied_head));
  // Whether there are biases, the tensors tell.
  ENM_RETURN_IF_ERROR(config.flag("attention_bias", false).status());
  if (decoder.dual_rope) return decoder;
  ENM_ASSIGN_OR_RETURN(decoder.rope, read_rope(config, decoder.rope, decoder.max_positions));
  if (decoder.rope.kind == Kind::kYarn) {
    const double stretched =
        decoder.rope.factor * static_cast<double>(decoder.rope.original_positions);
    constexpr double kMost = 1 << 24;
    decoder.max_positions =
        std::max(decoder.max_positions, static_cast<int64_t>(std::min(stretched, kMost)));
  }
  return decoder;
}

}  // namespace enm::families
