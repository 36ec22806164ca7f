#include "enm/formats/gguf_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "enm/base/strings.h"

namespace enm::formats {
namespace {

using families::DecoderConfig;
using families::DecoderNames;
using families::Rope;

// Keys of an architecture, with an account of those that were read.
class ArchitectureReader {
 public:
  ArchitectureReader(const GgufMetadata& metadata, std::string_view architecture)
      : metadata_(metadata), prefix_(cat(architecture, ".")) {}

  // A size: at least 1, and small enough that products of two fit.
  Result<int64_t> size(std::string_view key) {
    ENM_ASSIGN_OR_RETURN(const int64_t value, metadata_.integer(full(key)));
    constexpr int64_t kMost = int64_t{1} << 24;
    if (value >= 1 && value <= kMost) return value;
    return Corrupt("metadata ", quoted(full(key)), ": expected a number from 1 to ", kMost,
                   ", got ", value);
  }
  Result<int64_t> size(std::string_view key, int64_t fallback) {
    return has(key) ? size(key) : Result<int64_t>(fallback);
  }
  Result<int64_t> integer(std::string_view key, int64_t fallback) {
    return metadata_.integer(full(key), fallback);
  }
  Result<double> number(std::string_view key, double fallback) {
    return metadata_.number(full(key), fallback);
  }
  Result<std::string_view> text(std::string_view key, std::string_view fallback) {
    return metadata_.text(full(key), fallback);
  }
  bool has(std::string_view key) { return metadata_.find(full(key)) != nullptr; }
  const GgufValue* find(std::string_view key) { return metadata_.find(full(key)); }

  /// kUnsupported naming the first key that nobody read and that may change the numbers.
  Status finish() const {
    static constexpr std::array<std::string_view, 4> kHarmless = {
        "vocab_size", "rope.scaling.finetuned", "tensor_data_layout", "expert_used_count"};
    for (const auto& [key, value] : metadata_.entries()) {
      if (!key.starts_with(prefix_) || read_.contains(key)) continue;
      if (std::ranges::find(kHarmless, key.substr(prefix_.size())) != kHarmless.end()) continue;
      return Unsupported("metadata ", quoted(key),
                         " is not understood and may change what the model computes");
    }
    return {};
  }

 private:
  const std::string& full(std::string_view key) { return *read_.insert(cat(prefix_, key)).first; }

  const GgufMetadata& metadata_;
  const std::string prefix_;
  std::set<std::string, std::less<>> read_;
};

// Numbers of a small tensor; nothing if the file lacks it.
Result<std::vector<double>> read_factors(const GgufFile& file, std::string_view name) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end()) return std::vector<double>();
  const GgufTensor& tensor = found->second;
  if (tensor.type == nullptr || tensor.type->type != GgmlType::kF32 || tensor.dims.size() != 1) {
    return Corrupt("tensor ", quoted(name), ": expected a row of F32");
  }
  std::vector<float> values(static_cast<size_t>(tensor.dims[0]));
  dequantize_ggml(*tensor.type, tensor.data.data(), tensor.dims[0], values.data());
  return std::vector<double>(values.begin(), values.end());
}

Status read_sizes(ArchitectureReader& reader, const GgufFile& file, DecoderConfig& config) {
  const auto table = file.tensors().find("token_embd.weight");
  if (table == file.tensors().end() || table->second.dims.size() != 2) {
    return Corrupt("no tensor \"token_embd.weight\" of two dimensions");
  }
  config.vocab = table->second.dims[0];
  ENM_ASSIGN_OR_RETURN(config.hidden, reader.size("embedding_length"));
  ENM_ASSIGN_OR_RETURN(config.intermediate, reader.size("feed_forward_length"));
  ENM_ASSIGN_OR_RETURN(config.layers, reader.size("block_count"));
  ENM_ASSIGN_OR_RETURN(config.heads, reader.size("attention.head_count"));
  ENM_ASSIGN_OR_RETURN(config.kv_heads, reader.size("attention.head_count_kv", config.heads));
  ENM_ASSIGN_OR_RETURN(
      config.head_dim,
      reader.size("attention.key_length", std::max<int64_t>(1, config.hidden / config.heads)));
  ENM_ASSIGN_OR_RETURN(const int64_t value_dim,
                       reader.size("attention.value_length", config.head_dim));
  ENM_ASSIGN_OR_RETURN(config.max_positions, reader.size("context_length"));
  ENM_ASSIGN_OR_RETURN(const int64_t experts, reader.integer("expert_count", 0));
  if (value_dim != config.head_dim)
    return Unsupported("keys of ", config.head_dim, " and values of ", value_dim);
  if (experts != 0) return Unsupported("mixtures of experts are not supported");
  config.tied_head = !file.tensors().contains("output.weight");
  return {};
}

Status read_rope(ArchitectureReader& reader, const GgufFile& file, DecoderConfig& config) {
  Rope& rope = config.rope;
  ENM_ASSIGN_OR_RETURN(rope.theta, reader.number("rope.freq_base", 10000));
  ENM_ASSIGN_OR_RETURN(const int64_t turning, reader.size("rope.dimension_count", config.head_dim));
  if (turning < config.head_dim) {
    // Half a step more: whoever cuts the product off finds the number again.
    rope.partial_factor =
        (static_cast<double>(turning) + 0.5) / static_cast<double>(config.head_dim);
  } else if (turning > config.head_dim) {
    return Corrupt("rope.dimension_count ", turning, " is beyond heads of ", config.head_dim);
  }
  ENM_ASSIGN_OR_RETURN(const std::string_view kind, reader.text("rope.scaling.type", "linear"));
  ENM_ASSIGN_OR_RETURN(const double old_factor, reader.number("rope.scale_linear", 0));
  ENM_ASSIGN_OR_RETURN(const double factor, reader.number("rope.scaling.factor", old_factor));
  ENM_ASSIGN_OR_RETURN(rope.original_positions,
                       reader.size("rope.scaling.original_context_length", config.max_positions));
  ENM_ASSIGN_OR_RETURN(rope.attention_factor, reader.number("rope.scaling.attn_factor", 0));
  if (factor > 0) rope.factor = factor;
  ENM_ASSIGN_OR_RETURN(rope.divisors, read_factors(file, "rope_freqs.weight"));
  ENM_ASSIGN_OR_RETURN(rope.short_factors, read_factors(file, "rope_factors_short.weight"));
  ENM_ASSIGN_OR_RETURN(rope.long_factors, read_factors(file, "rope_factors_long.weight"));
  if (kind == "yarn") {
    rope.kind = Rope::Kind::kYarn;
    ENM_ASSIGN_OR_RETURN(rope.beta_fast, reader.number("rope.scaling.yarn_beta_fast", 32));
    ENM_ASSIGN_OR_RETURN(rope.beta_slow, reader.number("rope.scaling.yarn_beta_slow", 1));
    ENM_ASSIGN_OR_RETURN(rope.attention_factor,
                         reader.number("rope.scaling.yarn_attn_factor", rope.attention_factor));
  } else if (!rope.short_factors.empty()) {
    rope.kind = Rope::Kind::kLongRope;
    rope.factor =
        static_cast<double>(config.max_positions) / static_cast<double>(rope.original_positions);
  } else if (kind == "linear" || kind == "none") {
    if (kind == "linear" && factor > 0 && factor != 1) rope.kind = Rope::Kind::kLinear;
  } else {
    return Unsupported("rope.scaling.type ", quoted(kind),
                       "; supported are none, linear, yarn, longrope");
  }
  return {};
}

// Every `period`th layer sees the whole text, those between `window` tokens.
void set_windows(DecoderConfig& config, int64_t window, int64_t period) {
  if (window <= 0) return;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    config.windows.push_back(layer % period == period - 1 && period > 1 ? 0 : window);
  }
}

// Layers with a window, by the pattern's period or one flag a layer.
Status read_windows(ArchitectureReader& reader, DecoderConfig& config, int64_t window,
                    int64_t period) {
  ENM_ASSIGN_OR_RETURN(window, reader.integer("attention.sliding_window", window));
  const GgufValue* pattern = reader.find("attention.sliding_window_pattern");
  if (pattern != nullptr && pattern->is_array && pattern->is_flag()) {
    if (pattern->count < static_cast<uint64_t>(config.layers))
      return Corrupt("a pattern of ", pattern->count, " windows");
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      config.windows.push_back(pattern->integer(static_cast<uint64_t>(layer)) != 0 ? window : 0);
    }
    return {};
  }
  ENM_ASSIGN_OR_RETURN(period, reader.size("attention.sliding_window_pattern", period));
  set_windows(config, window, period);
  return {};
}

Status read_llama(ArchitectureReader& reader, DecoderConfig& config) {
  return read_windows(reader, config, 0, 1);
}

Status read_qwen3(ArchitectureReader& reader, DecoderConfig& config) {
  config.qk_norm = true;
  return read_llama(reader, config);
}

// Norms hold 1 + weight as they are multiplied.
Status read_gemma(ArchitectureReader&, DecoderConfig& config) {
  config.activation = DecoderConfig::Activation::kGeluTanh;
  config.embedding_scale = std::sqrt(static_cast<float>(config.hidden));
  return {};
}

Status read_gemma2_and_3(ArchitectureReader& reader, DecoderConfig& config, int64_t largest) {
  ENM_RETURN_IF_ERROR(read_gemma(reader, config));
  config.post_norms = true;
  config.names.mlp_norm = "pre_feedforward_layernorm";
  ENM_ASSIGN_OR_RETURN(const double softcap, reader.number("final_logit_softcapping", 0));
  config.logit_softcap = static_cast<float>(softcap);
  // The largest model of each generation divides by the width that heads would have if they were
  // cut from the hidden states. Nothing but the number of its layers tells it.
  if (config.layers == largest) {
    config.attention_scale = 1.0f / std::sqrt(static_cast<float>(config.hidden / config.heads));
  }
  return {};
}

Status read_gemma2(ArchitectureReader& reader, DecoderConfig& config) {
  ENM_RETURN_IF_ERROR(read_gemma2_and_3(reader, config, 46));
  ENM_ASSIGN_OR_RETURN(const double softcap, reader.number("attn_logit_softcapping", 50));
  config.attention_softcap = static_cast<float>(softcap);
  return read_windows(reader, config, 4096, 2);
}

Status read_gemma3(ArchitectureReader& reader, DecoderConfig& config) {
  ENM_RETURN_IF_ERROR(read_gemma2_and_3(reader, config, 62));
  config.qk_norm = true;
  config.dual_rope = true;
  ENM_ASSIGN_OR_RETURN(config.local_rope.theta, reader.number("rope.freq_base_swa", 10000));
  return read_windows(reader, config, 0, 6);
}

Status read_phi2(ArchitectureReader&, DecoderConfig& config) {
  config.norm = DecoderConfig::Norm::kLayer;
  config.parallel = true;
  config.gated = false;
  config.activation = DecoderConfig::Activation::kGeluTanh;
  config.names.attention_output = "self_attn.dense";
  config.names.up = "mlp.fc1";
  config.names.down = "mlp.fc2";
  config.names.final_norm = "model.final_layernorm";
  return {};
}

Status read_phi3(ArchitectureReader& reader, DecoderConfig& config) {
  config.fused_gate_up = true;
  return read_windows(reader, config, 0, 1);
}

struct Architecture {
  std::string_view name;
  std::string_view family;  // config.json's model_type
  Status (*read)(ArchitectureReader& reader, DecoderConfig& config);
};

constexpr std::array kArchitectures = {Architecture{"llama", "llama", read_llama},
                                       Architecture{"qwen2", "qwen2", read_llama},
                                       Architecture{"qwen3", "qwen3", read_qwen3},
                                       Architecture{"gemma", "gemma", read_gemma},
                                       Architecture{"gemma2", "gemma2", read_gemma2},
                                       Architecture{"gemma3", "gemma3_text", read_gemma3},
                                       Architecture{"phi2", "phi", read_phi2},
                                       Architecture{"phi3", "phi3", read_phi3}};

}  // namespace

std::string_view gguf_architecture(const DecoderConfig& config) {
  std::string_view family = config.family;
  if (family == "mistral") family = "llama";
  const auto found = std::ranges::find(kArchitectures, family, &Architecture::family);
  return found == kArchitectures.end() ? "" : found->name;
}

Result<DecoderConfig> read_gguf_config(const GgufFile& file) {
  ENM_ASSIGN_OR_RETURN(const std::string_view name, file.metadata().text("general.architecture"));
  const auto architecture = std::ranges::find(kArchitectures, name, &Architecture::name);
  if (architecture == kArchitectures.end()) {
    std::vector<std::string> known;
    for (const Architecture& one : kArchitectures) known.emplace_back(one.name);
    return Unsupported("architecture ", quoted(name),
                       " is not supported; architectures here: ", join(known, ", "));
  }
  ArchitectureReader reader(file.metadata(), name);
  DecoderConfig config;
  config.family = architecture->family;
  ENM_RETURN_IF_ERROR(read_sizes(reader, file, config));
  const bool rms = name != "phi2";
  ENM_ASSIGN_OR_RETURN(const double epsilon, reader.number(rms ? "attention.layer_norm_rms_epsilon"
                                                               : "attention.layer_norm_epsilon",
                                                           1e-5));
  config.epsilon = static_cast<float>(epsilon);
  ENM_ASSIGN_OR_RETURN(const double scale, reader.number("attention.scale", 0));
  config.attention_scale = static_cast<float>(scale);
  config.fused_qkv = file.tensors().contains("blk.0.attn_qkv.weight");
  ENM_RETURN_IF_ERROR(read_rope(reader, file, config));
  ENM_RETURN_IF_ERROR(architecture->read(reader, config));
  ENM_RETURN_IF_ERROR(reader.finish());
  return config;
}

}  // namespace enm::formats
