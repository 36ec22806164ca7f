#include "enm/families/config_reader.h"

#include <algorithm>

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

Result<int64_t> ConfigReader::count(std::string_view key, int64_t fallback) {
  const Json* value = find(key);
  const bool is_zero = value != nullptr && value->is_int() && value->integer() == 0;
  return is_zero ? Result<int64_t>(0) : positive(key, fallback);
}

Result<std::vector<double>> ConfigReader::numbers(std::string_view key) {
  read_.emplace(key);
  ENM_ASSIGN_OR_RETURN(const Json* values, config_.get(key));
  std::vector<double> out;
  for (const Json& value : values->items()) {
    if (!value.is_number())
      return Corrupt("key ", quoted(key), " holds something else than numbers");
    out.push_back(value.number());
  }
  return out;
}

Result<bool> ConfigReader::flag(std::string_view key, bool fallback) {
  read_.emplace(key);
  return config_.get_bool(key, fallback);
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

std::span<const std::string_view> harmless_keys() {
  static constexpr std::string_view kKeys[] = {
      "architectures",
      "auto_map",
      "attention_dropout",
      "attention_probs_dropout_prob",
      "bad_words_ids",
      "begin_suppress_tokens",
      "bos_token_id",
      "cache_implementation",
      "chunk_size_feed_forward",
      "classifier_activation",
      "classifier_bias",
      "classifier_dropout",
      "classifier_pooling",
      "cls_token_id",
      "decoder_bias",
      "decoder_start_token_id",
      "directionality",
      "diversity_penalty",
      "do_sample",
      "dtype",
      "early_stopping",
      "embd_pdrop",
      "embedding_dropout",
      "encoder_no_repeat_ngram_size",
      "eos_token_id",
      "exponential_decay_length_penalty",
      "finetuning_task",
      "forced_bos_token_id",
      "forced_eos_token_id",
      "gradient_checkpointing",
      "hidden_dropout_prob",
      "id2label",
      "initializer_cutoff_factor",
      "initializer_range",
      "is_encoder_decoder",
      "is_llama_config",
      "label2id",
      "length_penalty",
      "max_length",
      "min_length",
      "mlp_dropout",
      "model_type",
      "name_or_path",
      "no_repeat_ngram_size",
      "num_beam_groups",
      "num_beams",
      "num_labels",
      "num_return_sequences",
      "output_attentions",
      "output_hidden_states",
      "output_past",
      "output_scores",
      "pad_token_id",
      "pooler_fc_size",
      "pooler_num_attention_heads",
      "pooler_num_fc_layers",
      "pooler_size_per_head",
      "pooler_type",
      "prefix",
      "pretraining_tp",
      "problem_type",
      "remove_invalid_values",
      "repetition_penalty",
      "resid_pdrop",
      "return_dict",
      "return_dict_in_generate",
      "sep_token_id",
      "suppress_tokens",
      "task_specific_params",
      "temperature",
      "tf_legacy_loss",
      "tie_encoder_decoder",
      "tokenizer_class",
      "top_k",
      "top_p",
      "torch_dtype",
      "torchscript",
      "transformers.js_config",
      "transformers_version",
      "typical_p",
      "unk_token_id",
      "unsloth_fixed",
      "unsloth_version",
      "use_bfloat16",
      "use_cache",
  };
  return kKeys;
}

}  // namespace enm::families
