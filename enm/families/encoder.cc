#include "enm/families/encoder.h"

namespace enm::families {

using graph::DType;
using graph::Shape;
using graph::ValueId;

namespace {

// Mean over the tokens that the mask keeps: sum(x * mask) / max(sum(mask), 1e-9).
ValueId add_mean_pooling(Builder& builder, ValueId states, ValueId mask) {
  const std::string module = "pooling";
  const ValueId last = builder.int64s(module + ".last_axis", {1}, {-1});
  const ValueId tokens = builder.int64s(module + ".token_axis", {1}, {1});
  const ValueId weights = builder.cast(module, mask, DType::kFloat32);
  const ValueId column = builder.f32("Unsqueeze", module, {weights, last});
  const auto sum = [&](const char* name, ValueId value) {
    return builder.f32("ReduceSum", name, {value, tokens}, {{"keepdims", int64_t{0}}});
  };
  const ValueId total = sum("pooling", builder.f32("Mul", module, {states, column}));
  const ValueId least = builder.scalar(module + ".least", 1e-9f);
  const ValueId count = builder.f32("Max", module, {sum("pooling/count", column), least});
  return builder.f32("Div", module, {total, count});
}

ValueId add_cls_pooling(Builder& builder, ValueId states) {
  const ValueId first = builder.int64s("pooling.first", {}, {0});
  return builder.f32("Gather", "pooling", {states, first}, {{"axis", int64_t{1}}});
}

}  // namespace

EncoderInputs add_encoder_inputs(Builder& builder, bool token_types) {
  builder.graph.name = builder.description.family;
  builder.description.input_ids = "input_ids";
  builder.description.attention_mask = "attention_mask";
  builder.description.output = "last_hidden_state";
  const graph::Type tokens = {DType::kInt64, Shape{"batch_size", "sequence"}};
  EncoderInputs inputs;
  inputs.input_ids = builder.graph.add_input("input_ids", tokens);
  inputs.mask = builder.graph.add_input("attention_mask", tokens);
  if (token_types) {
    builder.description.token_type_ids = "token_type_ids";
    inputs.token_types = builder.graph.add_input("token_type_ids", tokens);
  }
  inputs.padding_mask = builder.cast("attention_mask", inputs.mask, DType::kInt32);
  return inputs;
}

ValueId add_sequence_length(Builder& builder, ValueId input_ids) {
  const ValueId shape = builder.i64("Shape", "positions", {input_ids});
  return builder.i64("Gather", "positions", {shape, builder.int64s("positions.axis", {1}, {1})});
}

Result<graph::Graph> finish_encoder(Builder& builder, const EncoderInputs& inputs, ValueId states,
                                    const Pooling& pooling) {
  graph::ModelDescription& d = builder.description;
  builder.output("last_hidden_state", states,
                 {DType::kFloat32, Shape{"batch_size", "sequence", d.dimensions}});
  if (pooling.mode == Pooling::Mode::kNone) return builder.finish();
  const bool mean = pooling.mode == Pooling::Mode::kMean;
  d.task = graph::ModelDescription::Task::kEmbedding;
  d.output = "sentence_embedding";
  d.pooling = mean ? "mean" : "cls";
  d.normalized = pooling.normalize;
  ValueId sentence =
      mean ? add_mean_pooling(builder, states, inputs.mask) : add_cls_pooling(builder, states);
  if (pooling.normalize) {
    sentence = builder.f32("LpNormalization", "normalize", {sentence},
                           {{"axis", int64_t{-1}}, {"p", int64_t{2}}});
  }
  builder.output("sentence_embedding", sentence,
                 {DType::kFloat32, Shape{"batch_size", d.dimensions}});
  return builder.finish();
}

}  // namespace enm::families
