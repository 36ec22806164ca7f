// BERT encoders (MiniLM, E5, BGE, GTE) and RoBERTa's (multilingual E5, BGE-M3): post-norm blocks,
// learned positions, exact gelu.
// Source: transformers, models/bert/modeling_bert.py, models/xlm_roberta/modeling_xlm_roberta.py
#include <cmath>

#include "enm/families/decoder_reader.h"
#include "enm/families/encoder.h"

namespace enm::families {
namespace {

using graph::ValueId;

struct BertConfig {
  std::string_view family;
  std::string_view module;     // what checkpoints of tasks call the encoder
  double epsilon = 1e-12;      // where config.json says none
  int64_t first_position = 0;  // row of a text's first token
  bool one_type = false;       // token_type_ids are no input: all are 0
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t vocab = 0;
  int64_t positions = 0;
  int64_t types = 0;
};

void read_config(ConfigReader& config, BertConfig& bert) {
  bert.hidden = config.positive("hidden_size");
  bert.intermediate = config.positive("intermediate_size");
  bert.vocab = config.positive("vocab_size");
  bert.layers = read_layers(config);
  bert.heads = config.positive("num_attention_heads");
  bert.positions = config.positive("max_position_embeddings");
  bert.types = config.positive("type_vocab_size", 2);
  bert.epsilon = config.number("layer_norm_eps", bert.epsilon);
  if (bert.hidden % bert.heads != 0) {
    config.fail(Corrupt("hidden_size ", bert.hidden, " is no multiple of num_attention_heads ",
                        bert.heads));
  }
  config.require("hidden_act", "gelu");
  config.require("position_embedding_type", "absolute");
  config.require_flag("is_decoder", false);
  config.require_flag("add_cross_attention", false);
  config.find("tie_word_embeddings");  // of a head that is not read
}

class BertWriter {
 public:
  BertWriter(const BertConfig& config, const Checkpoint& checkpoint, std::string_view prefix)
      : config_(config), checkpoint_(checkpoint), builder_(checkpoint.tensors, prefix) {}

  Result<graph::Graph> write() {
    builder_.description.family = config_.family;
    builder_.description.context_length = config_.positions - config_.first_position;
    builder_.description.vocabulary = config_.vocab;
    builder_.description.dimensions = config_.hidden;
    const EncoderInputs inputs = add_encoder_inputs(builder_, !config_.one_type);
    ValueId x = add_embeddings(inputs);
    for (int64_t layer = 0; layer < config_.layers && builder_.ok(); ++layer) {
      x = add_block(cat("encoder.layer.", layer), x, inputs.padding_mask);
    }
    return finish_encoder(builder_, inputs, x, checkpoint_.pooling);
  }

 private:
  float epsilon() const { return static_cast<float>(config_.epsilon); }

  // LayerNorm(x + skip), the sum in one pass over memory.
  ValueId add_skip_norm(const std::string& module, ValueId x, ValueId skip) {
    const ValueId gamma = builder_.parameter(module + ".weight", {config_.hidden});
    const ValueId beta = builder_.parameter(module + ".bias", {config_.hidden});
    return builder_.microsoft("SkipLayerNormalization", module, {x, skip, gamma, beta},
                              {{"epsilon", epsilon()}});
  }

  ValueId add_embeddings(const EncoderInputs& inputs) {
    const std::string base = "embeddings.";
    const ValueId words = builder_.embedding(base + "word_embeddings", inputs.input_ids,
                                             config_.vocab, config_.hidden);
    const ValueId type =
        config_.one_type ? builder_.int64s(base + "type", {}, {0}) : inputs.token_types;
    const ValueId types =
        builder_.embedding(base + "token_type_embeddings", type, config_.types, config_.hidden);
    // The rows of a text's positions lie together.
    const std::string module = base + "position_embeddings";
    const ValueId table =
        builder_.parameter(module + ".weight", {config_.positions, config_.hidden});
    const ValueId length = add_sequence_length(builder_, inputs.input_ids);
    const ValueId zero = builder_.int64s(module + ".axis", {1}, {0});
    const ValueId first = builder_.int64s(module + ".first", {1}, {config_.first_position});
    const ValueId end = builder_.i64("Add", module, {length, first});
    const ValueId places = builder_.f32("Slice", module, {table, first, end, zero});
    const ValueId sum = builder_.f32("Add", base + "types", {words, types});
    return builder_.layer_norm(base + "LayerNorm", builder_.f32("Add", base + "sum", {sum, places}),
                               config_.hidden, epsilon());
  }

  ValueId add_block(const std::string& block, ValueId x, ValueId padding_mask) {
    const int64_t hidden = config_.hidden;
    const std::string self = block + ".attention.self";
    const ValueId q = builder_.linear(self + ".query", x, hidden, hidden);
    const ValueId k = builder_.linear(self + ".key", x, hidden, hidden);
    const ValueId v = builder_.linear(self + ".value", x, hidden, hidden);
    const ValueId mixed = builder_.microsoft(
        "MultiHeadAttention", self, {q, k, v, graph::kNoValue, padding_mask},
        {{"num_heads", config_.heads},
         {"scale", 1.0f / std::sqrt(static_cast<float>(hidden / config_.heads))}});
    const std::string output = block + ".attention.output.";
    const ValueId attended = builder_.linear(output + "dense", mixed, hidden, hidden);
    const ValueId y = add_skip_norm(output + "LayerNorm", attended, x);
    const std::string up = block + ".intermediate";
    const ValueId wide = builder_.linear(up + ".dense", y, hidden, config_.intermediate);
    const ValueId narrow =
        builder_.linear(block + ".output.dense", builder_.microsoft("Gelu", up, {wide}),
                        config_.intermediate, hidden);
    return add_skip_norm(block + ".output.LayerNorm", narrow, y);
  }

  const BertConfig& config_;
  const Checkpoint& checkpoint_;
  Builder builder_;
};

Result<graph::Graph> build(const Checkpoint& checkpoint, ConfigReader& config, BertConfig& bert) {
  read_config(config, bert);
  if (bert.first_position >= bert.positions) {
    config.fail(Corrupt("pad_token_id leaves none of ", bert.positions, " positions"));
  }
  const Status status = config.finish();
  if (!status.ok()) return status.in(cat("[", bert.family, "] config.json"));
  // The encoder's own files name modules from the root, those of tasks below its name.
  const std::string prefix = cat(bert.module, ".");
  const bool prefixed = checkpoint.tensors.contains(prefix + "embeddings.word_embeddings.weight");
  return BertWriter(bert, checkpoint, prefixed ? prefix : "").write();
}

}  // namespace

Result<graph::Graph> build_bert(const Checkpoint& checkpoint) {
  ConfigReader config(checkpoint.config);
  BertConfig bert{.family = "bert", .module = "bert"};
  return build(checkpoint, config, bert);
}

// BERT whose positions begin behind that of padding, with one type of token.
Result<graph::Graph> build_roberta(const Checkpoint& checkpoint) {
  ConfigReader config(checkpoint.config);
  BertConfig bert{.family = "xlm-roberta", .module = "roberta", .epsilon = 1e-5};
  bert.first_position = config.count("pad_token_id", 1) + 1;
  bert.one_type = true;
  return build(checkpoint, config, bert);
}

}  // namespace enm::families
