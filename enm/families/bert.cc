// BERT encoders (BertModel: MiniLM, E5, BGE, GTE): post-norm blocks, learned positions, exact gelu;
// last_hidden_state, and sentence_embedding pooled and normalized as the folder's modules.json
// says. Source: transformers, models/bert/modeling_bert.py; sentence-transformers,
// models/Pooling.py
#include <array>
#include <cmath>

#include "enm/families/builder.h"
#include "enm/families/config_reader.h"

namespace enm::families {
namespace {

using graph::DType;
using graph::Shape;
using graph::ValueId;

struct BertConfig {
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t vocab = 0;
  int64_t positions = 0;
  int64_t types = 0;
  float epsilon = 0;
};

Result<BertConfig> read_config(const Json& json) {
  ConfigReader config(json);
  BertConfig bert;
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
  ENM_ASSIGN_OR_RETURN(const double epsilon, config.number("layer_norm_eps", 1e-12));
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

Result<ValueId> add_embeddings(Builder& builder, const BertConfig& bert, ValueId input_ids,
                               ValueId token_types) {
  const std::string base = "embeddings.";
  ENM_ASSIGN_OR_RETURN(const ValueId words, builder.parameter(base + "word_embeddings.weight",
                                                              {bert.vocab, bert.hidden}));
  ENM_ASSIGN_OR_RETURN(const ValueId places, builder.parameter(base + "position_embeddings.weight",
                                                               {bert.positions, bert.hidden}));
  ENM_ASSIGN_OR_RETURN(const ValueId types, builder.parameter(base + "token_type_embeddings.weight",
                                                              {bert.types, bert.hidden}));
  // Positions are 0 .. sequence - 1: the first rows of the table.
  const ValueId shape =
      builder.node("Shape", "", base + "positions/Shape", {input_ids}, DType::kInt64);
  const ValueId zero = builder.int64s(base + "zero", {1}, {0});
  const ValueId one = builder.int64s(base + "one", {1}, {1});
  const ValueId length =
      builder.node("Gather", "", base + "positions/Gather", {shape, one}, DType::kInt64);
  const ValueId place_rows =
      builder.f32("Slice", base + "positions/Slice", {places, zero, length, zero});
  const ValueId word_rows = builder.f32("Gather", base + "words/Gather", {words, input_ids});
  const ValueId type_rows = builder.f32("Gather", base + "types/Gather", {types, token_types});
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
  const ValueId mixed =
      builder.node("MultiHeadAttention", graph::kMicrosoft, self + "/MultiHeadAttention",
                   {q, k, v, graph::kNoValue, padding_mask}, DType::kFloat32,
                   {{"num_heads", bert.heads},
                    {"scale", 1.0f / std::sqrt(static_cast<float>(bert.hidden / bert.heads))}});
  ENM_ASSIGN_OR_RETURN(const ValueId attended, builder.linear(block + ".attention.output.dense",
                                                              mixed, bert.hidden, bert.hidden));
  ENM_ASSIGN_OR_RETURN(
      const ValueId y,
      add_skip_norm(builder, bert, block + ".attention.output.LayerNorm", attended, x));
  ENM_ASSIGN_OR_RETURN(const ValueId wide, builder.linear(block + ".intermediate.dense", y,
                                                          bert.hidden, bert.intermediate));
  const ValueId active = builder.node("Gelu", graph::kMicrosoft, block + ".intermediate/Gelu",
                                      {wide}, DType::kFloat32);
  ENM_ASSIGN_OR_RETURN(const ValueId narrow, builder.linear(block + ".output.dense", active,
                                                            bert.intermediate, bert.hidden));
  return add_skip_norm(builder, bert, block + ".output.LayerNorm", narrow, y);
}

// Mean over the tokens that the mask keeps: sum(x * mask) / max(sum(mask), 1e-9).
ValueId add_mean_pooling(Builder& builder, ValueId states, ValueId mask) {
  const ValueId last = builder.int64s("pooling.last_axis", {1}, {-1});
  const ValueId tokens = builder.int64s("pooling.token_axis", {1}, {1});
  const ValueId weights = builder.node("Cast", "", "pooling/Cast", {mask}, DType::kFloat32,
                                       {{"to", int64_t{static_cast<int>(DType::kFloat32)}}});
  const ValueId column = builder.f32("Unsqueeze", "pooling/Unsqueeze", {weights, last});
  const ValueId kept = builder.f32("Mul", "pooling/Mul", {states, column});
  const graph::Attribute no_keep = int64_t{0};
  const ValueId sum = builder.node("ReduceSum", "", "pooling/ReduceSum", {kept, tokens},
                                   DType::kFloat32, {{"keepdims", no_keep}});
  const ValueId count = builder.node("ReduceSum", "", "pooling/count", {column, tokens},
                                     DType::kFloat32, {{"keepdims", no_keep}});
  const ValueId least = builder.float_scalar("pooling.least", 1e-9f);
  const ValueId safe = builder.f32("Max", "pooling/Max", {count, least});
  return builder.f32("Div", "pooling/Div", {sum, safe});
}

ValueId add_cls_pooling(Builder& builder, ValueId states) {
  const ValueId first = builder.int64s("pooling.first", {}, {0});
  return builder.node("Gather", "", "pooling/Gather", {states, first}, DType::kFloat32,
                      {{"axis", int64_t{1}}});
}

}  // namespace

Result<graph::Graph> build_bert(const Checkpoint& checkpoint) {
  const auto config = read_config(checkpoint.config);
  if (!config.ok()) return config.status().in("[bert] config.json");
  const BertConfig& bert = *config;
  // BertModel's own files name modules from the root, BertFor...'s below "bert.".
  const bool prefixed = checkpoint.tensors.contains("bert.embeddings.word_embeddings.weight");
  Builder builder(checkpoint.tensors, prefixed ? "bert." : "");
  builder.graph.name = builder.description.family = "bert";
  builder.description.input_ids = "input_ids";
  builder.description.attention_mask = "attention_mask";
  builder.description.token_type_ids = "token_type_ids";
  builder.description.context_length = bert.positions;
  builder.description.vocabulary = bert.vocab;
  builder.description.dimensions = bert.hidden;
  builder.description.output = "last_hidden_state";
  const graph::Type tokens = {DType::kInt64, Shape{"batch_size", "sequence"}};
  const ValueId input_ids = builder.graph.add_input("input_ids", tokens);
  const ValueId mask = builder.graph.add_input("attention_mask", tokens);
  const ValueId token_types = builder.graph.add_input("token_type_ids", tokens);
  const ValueId padding_mask =
      builder.node("Cast", "", "attention_mask/Cast", {mask}, DType::kInt32,
                   {{"to", int64_t{static_cast<int>(DType::kInt32)}}});

  ENM_ASSIGN_OR_RETURN(ValueId x, add_embeddings(builder, bert, input_ids, token_types));
  for (int64_t layer = 0; layer < bert.layers; ++layer) {
    ENM_ASSIGN_OR_RETURN(x, add_block(builder, bert, layer, x, padding_mask));
  }
  builder.output("last_hidden_state", x,
                 {DType::kFloat32, Shape{"batch_size", "sequence", bert.hidden}});
  if (checkpoint.pooling.mode == Pooling::Mode::kNone) return builder.finish();
  const bool mean = checkpoint.pooling.mode == Pooling::Mode::kMean;
  builder.description.task = graph::ModelDescription::Task::kEmbedding;
  builder.description.output = "sentence_embedding";
  builder.description.pooling = mean ? "mean" : "cls";
  builder.description.normalized = checkpoint.pooling.normalize;
  ValueId sentence = mean ? add_mean_pooling(builder, x, mask) : add_cls_pooling(builder, x);
  if (checkpoint.pooling.normalize) {
    sentence = builder.node("LpNormalization", "", "normalize/LpNormalization", {sentence},
                            DType::kFloat32, {{"axis", int64_t{-1}}, {"p", int64_t{2}}});
  }
  builder.output("sentence_embedding", sentence,
                 {DType::kFloat32, Shape{"batch_size", bert.hidden}});
  return builder.finish();
}

}  // namespace enm::families
