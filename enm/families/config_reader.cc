#include "enm/families/config_reader.h"

#include <algorithm>
#include <array>

namespace enm::families {

const Json* ConfigReader::find(std::string_view key) {
  read_.emplace(key);
  const Json* value = config_.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<int64_t> ConfigReader::positive(std::string_view key) {
  read_.emplace(key);
  ENM_ASSIGN_OR_RETURN(const int64_t value, config_.get_int(key));
  // No size of any model comes near; products of two of them still fit.
  constexpr int64_t kMost = int64_t{1} << 24;
  if (value < 1 || value > kMost) {
    return Corrupt("key ", quoted(key), ": expected a number from 1 to ", kMost, ", got ", value);
  }
  return value;
}

Result<int64_t> ConfigReader::positive(std::string_view key, int64_t fallback) {
  return find(key) == nullptr ? Result<int64_t>(fallback) : positive(key);
}

Result<double> ConfigReader::number(std::string_view key, double fallback) {
  read_.emplace(key);
  return config_.get_double(key, fallback);
}

Result<std::string> ConfigReader::text(std::string_view key, std::string_view fallback) {
  read_.emplace(key);
  return config_.get_string(key, fallback);
}

Status ConfigReader::require_flag(std::string_view key, bool expected) {
  read_.emplace(key);
  ENM_ASSIGN_OR_RETURN(const bool value, config_.get_bool(key, expected));
  if (value == expected) return {};
  return Unsupported("key ", quoted(key), " is ", value, "; only ", expected, " is supported");
}

Status ConfigReader::require(std::string_view key, std::string_view expected) {
  ENM_ASSIGN_OR_RETURN(const std::string value, text(key, expected));
  if (value == expected) return {};
  return Unsupported("key ", quoted(key), " is ", quoted(value), "; only ", quoted(expected),
                     " is supported");
}

Status ConfigReader::finish(std::span<const std::string_view> harmless) const {
  for (const auto& [key, value] : config_.members()) {
    const bool known = read_.contains(key) || key.starts_with("_") ||
                       std::find(harmless.begin(), harmless.end(), key) != harmless.end() ||
                       std::ranges::find(harmless_keys(), key) != harmless_keys().end();
    if (!known && !value.is_null()) {
      return Unsupported("key ", quoted(key),
                         " is not understood and may change what the model computes");
    }
  }
  return {};
}

Result<Rope> read_rope(ConfigReader& config, double default_theta, double default_partial_factor) {
  Rope rope;
  ENM_ASSIGN_OR_RETURN(rope.theta, config.number("rope_theta", default_theta));
  ENM_ASSIGN_OR_RETURN(rope.partial_factor,
                       config.number("partial_rotary_factor", default_partial_factor));
  if (config.find("rope_scaling") != nullptr) {
    return Unsupported("rope_scaling is not supported; only unscaled rotary positions are");
  }
  if (const Json* parameters = config.find("rope_parameters")) {
    ConfigReader inner(*parameters);
    ENM_RETURN_IF_ERROR(inner.require("rope_type", "default").in("rope_parameters"));
    ENM_ASSIGN_OR_RETURN(rope.theta, inner.number("rope_theta", rope.theta));
    ENM_ASSIGN_OR_RETURN(rope.partial_factor,
                         inner.number("partial_rotary_factor", rope.partial_factor));
    ENM_RETURN_IF_ERROR(inner.finish({}).in("rope_parameters"));
  }
  if (!(rope.theta > 1) || !(rope.partial_factor > 0 && rope.partial_factor <= 1)) {
    return Corrupt("rotary base ", rope.theta, " or partial factor ", rope.partial_factor,
                   " is out of range");
  }
  return rope;
}

std::span<const std::string_view> harmless_keys() {
  static constexpr std::array<std::string_view, 34> kKeys = {"architectures",
                                                             "auto_map",
                                                             "attention_dropout",
                                                             "attention_probs_dropout_prob",
                                                             "bos_token_id",
                                                             "classifier_dropout",
                                                             "dtype",
                                                             "embd_pdrop",
                                                             "eos_token_id",
                                                             "finetuning_task",
                                                             "forced_bos_token_id",
                                                             "forced_eos_token_id",
                                                             "gradient_checkpointing",
                                                             "hidden_dropout_prob",
                                                             "id2label",
                                                             "initializer_range",
                                                             "label2id",
                                                             "max_length",
                                                             "model_type",
                                                             "name_or_path",
                                                             "num_labels",
                                                             "output_attentions",
                                                             "output_hidden_states",
                                                             "output_past",
                                                             "pad_token_id",
                                                             "problem_type",
                                                             "resid_pdrop",
                                                             "return_dict",
                                                             "task_specific_params",
                                                             "tokenizer_class",
                                                             "torch_dtype",
                                                             "transformers_version",
                                                             "use_cache",
                                                             "transformers.js_config"};
  return kKeys;
}

}  // namespace enm::families
