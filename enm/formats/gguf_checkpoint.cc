#include <algorithm>
#include <array>

#include "enm/base/strings.h"
#include "enm/formats/gguf_config.h"

namespace enm::formats {
namespace {

using families::DecoderConfig;
using families::DecoderNames;

// A module's name in files, and in checkpoints.
struct ModuleName {
  std::string_view file;
  std::string_view DecoderNames::* module;
};

constexpr std::array kOuter = {ModuleName{"token_embd", &DecoderNames::embedding},
                               ModuleName{"output_norm", &DecoderNames::final_norm},
                               ModuleName{"output", &DecoderNames::head}};

// Behind "blk.N." and blocks + "N.".
constexpr std::array kInner = {
    ModuleName{"attn_norm", &DecoderNames::attention_norm},
    ModuleName{"attn_q", &DecoderNames::query},
    ModuleName{"attn_k", &DecoderNames::key},
    ModuleName{"attn_v", &DecoderNames::value},
    ModuleName{"attn_qkv", &DecoderNames::query_key_value},
    ModuleName{"attn_q_norm", &DecoderNames::query_norm},
    ModuleName{"attn_k_norm", &DecoderNames::key_norm},
    ModuleName{"attn_output", &DecoderNames::attention_output},
    ModuleName{"post_attention_norm", &DecoderNames::attention_post_norm},
    ModuleName{"ffn_norm", &DecoderNames::mlp_norm},
    ModuleName{"ffn_gate", &DecoderNames::gate},
    ModuleName{"ffn_up", &DecoderNames::up},
    ModuleName{"ffn_down", &DecoderNames::down},
    ModuleName{"post_ffw_norm", &DecoderNames::mlp_post_norm}};

// Both halves of a gated MLP lie in ffn_up where they are one tensor.
std::string_view module_of(const DecoderConfig& config, const ModuleName& name) {
  const bool both = config.fused_gate_up && name.module == &DecoderNames::up;
  return config.names.*(both ? &DecoderNames::gate_up : name.module);
}

// "blk.3.ffn_up.weight" -> "model.layers.3.mlp.up_proj.weight"; empty for a name that is not known.
std::string model_name(const DecoderConfig& config, std::string_view file_name) {
  const size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos) return "";
  const std::string_view suffix = file_name.substr(dot);  // ".weight", ".bias"
  std::string_view module = file_name.substr(0, dot);
  std::string prefix;
  std::span<const ModuleName> list = kOuter;
  if (module.starts_with("blk.")) {
    module.remove_prefix(4);
    const size_t end = module.find('.');
    if (end == std::string_view::npos) return "";
    prefix = cat(config.names.blocks, module.substr(0, end), ".");
    module.remove_prefix(end + 1);
    list = kInner;
  }
  const auto found = std::ranges::find(list, module, &ModuleName::file);
  return found == list.end() ? "" : cat(prefix, module_of(config, *found), suffix);
}

}  // namespace

std::string gguf_tensor_name(const DecoderConfig& config, std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return "";
  const std::string_view suffix = name.substr(dot);
  std::string_view module = name.substr(0, dot);
  std::string prefix;
  std::span<const ModuleName> list = kOuter;
  if (module.starts_with(config.names.blocks)) {
    module.remove_prefix(config.names.blocks.size());
    const size_t end = module.find('.');
    if (end == std::string_view::npos) return "";
    prefix = cat("blk.", module.substr(0, end), ".");
    module.remove_prefix(end + 1);
    list = kInner;
  }
  for (const ModuleName& one : list) {
    const bool is_post_norm = one.module == &DecoderNames::attention_post_norm;
    if (is_post_norm && !config.post_norms) continue;  // which shares its name with mlp_norm
    if (module_of(config, one) == module) return cat(prefix, one.file, suffix);
  }
  return "";
}

RowOrder gguf_row_order(const DecoderConfig& config, std::string_view file_name) {
  const bool turns = file_name.find(".attn_q.") != std::string_view::npos ||
                     file_name.find(".attn_k.") != std::string_view::npos;
  return {turns && gguf_architecture(config) == "llama" ? config.head_dim : 0};
}

Result<GgufCheckpoint> GgufCheckpoint::open(const GgufFile& file, const DecoderConfig& config,
                                            bool keep_blocks) {
  GgufCheckpoint out;
  out.keep_blocks_ = keep_blocks;
  for (const auto& [file_name, tensor] : file.tensors()) {
    if (file_name.starts_with("rope_f")) continue;  // rope_freqs, rope_factors_short, _long
    const std::string name = model_name(config, file_name);
    if (name.empty()) {
      return Unsupported("tensor ", quoted(file_name), " belongs to no part of a ", config.family,
                         " model that is known here");
    }
    const RowOrder order = gguf_row_order(config, file_name);
    const int64_t rows = tensor.dims.empty() ? 0 : tensor.dims[0];
    if (order.head_dim != 0 && (config.head_dim % 2 != 0 || rows % config.head_dim != 0)) {
      return Corrupt("tensor ", quoted(file_name), " has ", rows, " rows, heads of ",
                     config.head_dim);
    }
    if (!out.entries_.emplace(name, Entry{file_name, tensor, order}).second) {
      return Corrupt("tensor ", quoted(file_name), " is there under another name, too");
    }
  }
  return out;
}

std::optional<families::BlockWeight> GgufCheckpoint::blocks(std::string_view name) const {
  const auto found = entries_.find(name);
  if (!keep_blocks_ || found == entries_.end() || found->second.tensor.type == nullptr) {
    return std::nullopt;
  }
  return gguf_blocks(found->second.tensor, found->second.order);
}

Result<graph::Tensor> GgufCheckpoint::get(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return NotFound("no tensor for ", quoted(name));
  const Entry& entry = found->second;
  if (entry.tensor.type == nullptr) {
    return Unsupported("tensor ", quoted(entry.file_name), " has type ", entry.tensor.type_number,
                       "; read are ", ggml_type_names());
  }
  return gguf_floats(entry.tensor, entry.order);
}

std::vector<std::string> GgufCheckpoint::names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) out.push_back(name);
  return out;
}

}  // namespace enm::formats
