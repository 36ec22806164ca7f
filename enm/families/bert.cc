// BERT encoders (MiniLM, E5, BGE, GTE) and RoBERTa's (multilingual E5, BGE-M3): post-norm blocks,
// learned positions, exact gelu.
// Source: transformers, models/bert/modeling_bert.py, models/xlm_roberta/modeling_xlm_roberta.py
#include <cmath>

#include "enm/families/config_reader.h"
#include "enm/families/encoder.h"

namespace enm::families {
namespace {

using graph::DType;
using graph::ValueId;

struct BertConfig {
  std::string family;
  int64_t first_position = 0;  // row of a text's first token
  bool one_type = false;       // token_type_ids are no input: all are 0
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t vocab = 0;
  int64_t positions = 0;
  int64_t types = 0;
  float epsilon = 0;
};

Result<BertConfig> read_config(ConfigReader& config, std::string_view family,
                               double default_epsilon) {
  BertConfig bert{.family = std::string(family)};
  ENM_ASSIGN_OR_RETURN(bert.hidden, config.positive("hidden_size"));
  ENM_ASSIGN_OR_RETURN(bert.intermediate, config.positive("intermediate_size"));
  ENM_ASSIGN_OR_RETURN(bert.vocab, config.positive("vocab_size"));
  ENM_ASSIGN_OR_RETURN(bert.layers, config.positive("num_hidden_layers"));
  ENM_ASSIGN_OR_RETURN(bert.heads, config.positive("num_attention_heads"));
  ENM_ASSIGN_OR_RETURN(bert.positions, config.positive("max_position_embeddings"));
  ENM_ASSIGN_OR_RETURN(bert.types, config.positive("type_vocab_size", 2));
  if (bert.hidden % bert.heads != 0) {
    return Corrupt("hidden_size ", bert.hidden, " is no multiple of num_attention_heads ",
                   bert.heads);
  }
  ENM_ASSIGN_OR_RETURN(const double epsilon, config.number("layer_norm_eps", default_epsilon));
  bert.epsilon = static_cast<float>(epsilon);
  ENM_RETURN_IF_ERROR(config.require("hidden_act", "gelu"));
  ENM_RETURN_IF_ERROR(config.require("position_embedding_type", "absolute"));
  ENM_RETURN_IF_ERROR(config.require_flag("is_decoder", false));
  ENM_RETURN_IF_ERROR(config.require_flag("add_cross_attention", false));
  config.find("tie_word_embeddings");  // of a head that is not read
  ENM_RETURN_IF_ERROR(config.finish({}));
  return bert;
}

// LayerNorm(x + skip), the sum in one pass over memory.
Result<ValueId> add_skip_norm(Builder& builder, const BertConfig& bert, const std::string& module,
                              ValueId x, ValueId skip) {
  ENM_ASSIGN_OR_RETURN(const ValueId gamma, builder.parameter(module + ".weight", {bert.hidden}));
  ENM_ASSIGN_OR_RETURN(const ValueId beta, builder.parameter(module + ".bias", {bert.hidden}));
  return builder.node("SkipLayerNormalization", graph::kMicrosoft,
                      module + "/SkipLayerNormalization", {x, skip, gamma, beta}, DType::kFloat32,
                      {{"epsilon", bert.epsilon}});
}

Result<ValueId> add_embeddings(Builder& builder, const BertConfig& bert,
                               const EncoderInputs& inputs) {
  const std::string base = "embeddings.";
  ENM_ASSIGN_OR_RETURN(const ValueId words, builder.parameter(base + "word_embeddings.weight",
                                                              {bert.vocab, bert.hidden}));
  ENM_ASSIGN_OR_RETURN(const ValueId places, builder.parameter(base + "position_embeddings.weight",
                                                               {bert.positions, bert.hidden}));
  ENM_ASSIGN_OR_RETURN(const ValueId types, builder.parameter(base + "token_type_embeddings.weight",
                                                              {bert.types, bert.hidden}));
  // The rows of a text's positions lie together.
  const ValueId length = add_sequence_length(builder, inputs.input_ids);
  const ValueId zero = builder.int64s(base + "zero", {1}, {0});
  const ValueId first = builder.int64s(base + "first", {1}, {bert.first_position});
  const ValueId end =
      builder.node("Add", "", base + "positions/end", {length, first}, DType::kInt64);
  const ValueId place_rows =
      builder.f32("Slice", base + "positions/Slice", {places, first, end, zero});
  const ValueId word_rows = builder.f32("Gather", base + "words/Gather", {words, inputs.input_ids});
  const ValueId type_rows = builder.f32(
      "Gather", base + "types/Gather",
      {types, bert.one_type ? builder.int64s(base + "type", {}, {0}) : inputs.token_types});
  const ValueId word_and_type =
      builder.f32("Add", base + "words_types/Add", {word_rows, type_rows});
  const ValueId sum = builder.f32("Add", base + "positions/Add", {word_and_type, place_rows});
  return builder.layer_norm("embeddings.LayerNorm", sum, bert.hidden, bert.epsilon);
}

Result<ValueId> add_block(Builder& builder, const BertConfig& bert, int64_t layer, ValueId x,
                          ValueId padding_mask) {
  const std::string block = cat("encoder.layer.", layer);
  const std::string self = block + ".attention.self";
  ENM_ASSIGN_OR_RETURN(const ValueId q,
                       builder.linear(self + ".query", x, bert.hidden, bert.hidden));
  ENM_ASSIGN_OR_RETURN(const ValueId k, builder.linear(self + ".key", x, bert.hidden, bert.hidden));
  ENM_ASSIGN_OR_RETURN(const ValueId v,
                       builder.linear(self + ".value", x, bert.hidden, bert.hidden));
  const ValueId mixed = builder.microsoft(
      "MultiHeadAttention", self + "/MultiHeadAttention", {q, k, v, graph::kNoValue, padding_mask},
      {{"num_heads", bert.heads},
       {"scale", 1.0f / std::sqrt(static_cast<float>(bert.hidden / bert.heads))}});
  ENM_ASSIGN_OR_RETURN(const ValueId attended, builder.linear(block + ".attention.output.dense",
                                                              mixed, bert.hidden, bert.hidden));
  ENM_ASSIGN_OR_RETURN(
      const ValueId y,
      add_skip_norm(builder, bert, block + ".attention.output.LayerNorm", attended, x));
  ENM_ASSIGN_OR_RETURN(const ValueId wide, builder.linear(block + ".intermediate.dense", y,
                                                          bert.hidden, bert.intermediate));
  const ValueId active = builder.microsoft("Gelu", block + ".intermediate/Gelu", {wide});
  ENM_ASSIGN_OR_RETURN(const ValueId narrow, builder.linear(block + ".output.dense", active,
                                                            bert.intermediate, bert.hidden));
  return add_skip_norm(builder, bert, block + ".output.LayerNorm", narrow, y);
}

// `module`: what checkpoints of tasks call the encoder: "bert".
Result<graph::Graph> build_encoder(const Checkpoint& checkpoint, BertConfig bert,
                                   std::string_view module) {
  // The encoder's own files name modules from the root, those of tasks below its name.
  const std::string prefix = cat(module, ".");
  const bool prefixed = checkpoint.tensors.contains(prefix + "embeddings.word_embeddings.weight");
  Builder builder(checkpoint.tensors, prefixed ? prefix : "");
  builder.description.family = bert.family;
  builder.description.context_length = bert.positions - bert.first_position;
  builder.description.vocabulary = bert.vocab;
  builder.description.dimensions = bert.hidden;
  const EncoderInputs inputs = add_encoder_inputs(builder, !bert.one_type);
  ENM_ASSIGN_OR_RETURN(ValueId x, add_embeddings(builder, bert, inputs));
  for (int64_t layer = 0; layer < bert.layers; ++layer) {
    ENM_ASSIGN_OR_RETURN(x, add_block(builder, bert, layer, x, inputs.padding_mask));
  }
  return finish_encoder(builder, inputs, x, checkpoint.pooling);
}

}  // namespace

Result<graph::Graph> build_bert(const Checkpoint& checkpoint) {
  ConfigReader config(checkpoint.config);
  auto bert = read_config(config, "bert", 1e-12);
  if (!bert.ok()) return bert.status().in("[bert] config.json");
  return build_encoder(checkpoint, *std::move(bert), "bert");
}

// XLM-RoBERTa and RoBERTa: BERT whose positions begin behind that of padding, with one type of
// token.
Result<graph::Graph> build_roberta(const Checkpoint& checkpoint) {
  ConfigReader config(checkpoint.config);
  auto read = [&]() -> Result<BertConfig> {
    ENM_ASSIGN_OR_RETURN(const int64_t padding, config.count("pad_token_id", 1));
    ENM_ASSIGN_OR_RETURN(BertConfig bert, read_config(config, "xlm-roberta", 1e-5));
    bert.first_position = padding + 1;
    bert.one_type = true;
    if (bert.first_position < bert.positions) return bert;
    return Corrupt("pad_token_id ", padding, " leaves none of ", bert.positions, " positions");
  };
  auto bert = read();
  if (!bert.ok()) return bert.status().in("[xlm-roberta] config.json");
  return build_encoder(checkpoint, *std::move(bert), "roberta");
}

}  // namespace enm::families
