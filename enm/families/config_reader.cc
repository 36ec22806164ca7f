#include "enm/families/config_reader.h"

#include <algorithm>

namespace enm::families {
namespace {

// Keys that say how a checkpoint was made, is generated from or stored; common to all families.
constexpr std::string_view kHarmless[] = {
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

bool contains(std::span<const std::string_view> keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

}  // namespace

const Json* ConfigReader::find(std::string_view key) {
  read_.push_back(key);
  const Json* value = config_.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void ConfigReader::fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
}

int64_t ConfigReader::positive(std::string_view key) {
  read_.push_back(key);
  const auto value = config_.get_int(key);
  // No size of any model comes near; products of two of them still fit.
  constexpr int64_t kMost = int64_t{1} << 24;
  if (value.ok() && *value >= 1 && *value <= kMost) return *value;
  fail(value.ok()
           ? Corrupt("key ", quoted(key), ": expected a number from 1 to ", kMost, ", got ", *value)
           : value.status());
  return 1;
}

int64_t ConfigReader::positive(std::string_view key, int64_t fallback) {
  return find(key) == nullptr ? fallback : positive(key);
}

int64_t ConfigReader::count(std::string_view key, int64_t fallback) {
  const Json* value = find(key);
  const bool is_zero = value != nullptr && value->is_int() && value->integer() == 0;
  return is_zero ? 0 : positive(key, fallback);
}

std::vector<double> ConfigReader::numbers(std::string_view key) {
  std::vector<double> out;
  const Json* values = find(key);
  if (values == nullptr) fail(Corrupt("key ", quoted(key), " is missing"));
  if (values == nullptr) return out;
  for (const Json& value : values->items()) {
    if (!value.is_number()) fail(Corrupt("key ", quoted(key), " holds more than numbers"));
    out.push_back(value.is_number() ? value.number() : 1);
  }
  return out;
}

double ConfigReader::number(std::string_view key, double fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_number()) return value->number();
  fail(config_.get_double(key).status());
  return fallback;
}

bool ConfigReader::flag(std::string_view key, bool fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_bool()) fail(config_.get_bool(key).status());
  return value->is_bool() ? value->boolean() : fallback;
}

std::string ConfigReader::text(std::string_view key, std::string_view fallback) {
  const Json* value = find(key);
  if (value != nullptr && !value->is_string()) fail(config_.get_string(key).status());
  return value != nullptr && value->is_string() ? value->string() : std::string(fallback);
}

void ConfigReader::require_flag(std::string_view key, bool expected) {
  const bool value = flag(key, expected);
  if (value == expected) return;
  fail(Unsupported("key ", quoted(key), " is ", value, "; only ", expected, " is supported"));
}

void ConfigReader::require(std::string_view key, std::string_view expected) {
  const std::string value = text(key, expected);
  if (value == expected) return;
  fail(Unsupported("key ", quoted(key), " is ", quoted(value), "; only ", quoted(expected),
                   " is supported"));
}

Status ConfigReader::finish(std::span<const std::string_view> harmless) const {
  if (!status_.ok()) return status_;
  for (const auto& [key, value] : config_.members()) {
    const bool known = key.starts_with("_") || contains(read_, key) || contains(harmless, key) ||
                       contains(kHarmless, key);
    if (known || value.is_null()) continue;
    return Unsupported("key ", quoted(key),
                       " is not understood and may change what the model computes");
  }
  return {};
}

}  // namespace enm::families
