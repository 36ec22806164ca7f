#include "enm/families/decoder.h"

#include <cmath>

namespace enm::families {

using graph::DType;
using graph::Shape;
using graph::ValueId;

namespace {

// transformers.js knows a dimension of the batch by the name "batch_size"; any other symbol of a
// cache it takes for 0.
graph::Type cache_type(const DecoderShape& shape, const char* length) {
  return {DType::kFloat32, Shape{"batch_size", shape.kv_heads, length, shape.head_dim}};
}

// cos and sin of position * theta^(-2i / rotary_dim), as transformers computes them: the inverse
// frequencies in float, their products with positions in float.
void add_rotary_tables(Builder& builder, const DecoderShape& shape, const Rope& rope,
                       DecoderFrame& frame) {
  const auto rotary_dim =
      static_cast<int64_t>(rope.partial_factor * static_cast<double>(shape.head_dim));
  const int64_t half = rotary_dim / 2;
  std::vector<float> cos;
  std::vector<float> sin;
  for (int64_t position = 0; position < shape.max_positions; ++position) {
    for (int64_t i = 0; i < half; ++i) {
      const float exponent = static_cast<float>(2 * i) / static_cast<float>(rotary_dim);
      const float frequency = 1.0f / std::pow(static_cast<float>(rope.theta), exponent);
      const float angle = static_cast<float>(position) * frequency;
      cos.push_back(std::cos(angle));
      sin.push_back(std::sin(angle));
    }
  }
  const std::vector<int64_t> dims = {shape.max_positions, half};
  frame.cos = builder.constant("cos_cache", graph::make_tensor(DType::kFloat32, dims, cos));
  frame.sin = builder.constant("sin_cache", graph::make_tensor(DType::kFloat32, dims, sin));
}

// seqlens_k = sum(attention_mask, 1) - 1 and total_length = width of attention_mask, both i32.
void add_lengths(Builder& builder, ValueId mask, DecoderFrame& frame) {
  const graph::Attribute to_int32 = int64_t{static_cast<int>(DType::kInt32)};
  const ValueId axis = builder.int64s("attention_mask.axis", {1}, {1});
  const ValueId one = builder.int64s("attention_mask.one", {}, {1});
  const ValueId sum = builder.node("ReduceSum", "", "attention_mask/ReduceSum", {mask, axis},
                                   DType::kInt64, {{"keepdims", int64_t{0}}});
  const ValueId last = builder.node("Sub", "", "attention_mask/Sub", {sum, one}, DType::kInt64);
  frame.seqlens_k = builder.node("Cast", "", "attention_mask/seqlens_k", {last}, DType::kInt32,
                                 {{"to", to_int32}});
  const ValueId shape = builder.node("Shape", "", "attention_mask/Shape", {mask}, DType::kInt64);
  const ValueId width = builder.node("Gather", "", "attention_mask/Gather", {shape, one},
                                     DType::kInt64, {{"axis", int64_t{0}}});
  frame.total_length = builder.node("Cast", "", "attention_mask/total_length", {width},
                                    DType::kInt32, {{"to", to_int32}});
}

}  // namespace

DecoderFrame add_decoder_inputs(Builder& builder, const DecoderShape& shape, const Rope& rope) {
  DecoderFrame frame;
  builder.description.task = graph::ModelDescription::Task::kTextGeneration;
  builder.description.input_ids = "input_ids";
  builder.description.attention_mask = "attention_mask";
  builder.description.context_length = shape.max_positions;
  builder.description.dimensions = shape.heads * shape.head_dim;
  frame.input_ids =
      builder.graph.add_input("input_ids", {DType::kInt64, Shape{"batch_size", "sequence"}});
  const ValueId mask = builder.graph.add_input(
      "attention_mask", {DType::kInt64, Shape{"batch_size", "past + sequence"}});
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string past = cat("past_key_values.", layer, ".");
    const std::string present = cat("present.", layer, ".");
    builder.description.layers.push_back({past + "key", past + "value", present + "key",
                                          present + "value", shape.kv_heads, shape.head_dim, 0});
    for (const char* part : {"key", "value"}) {
      builder.graph.add_input(cat("past_key_values.", layer, ".", part), cache_type(shape, "past"));
    }
  }
  add_lengths(builder, mask, frame);
  add_rotary_tables(builder, shape, rope, frame);
  return frame;
}

ValueId add_attention(Builder& builder, const DecoderShape& shape, const DecoderFrame& frame,
                      int64_t layer, const std::string& name, ValueId q, ValueId k, ValueId v) {
  graph::Graph& graph = builder.graph;
  const ValueId past_key = graph.find_value(cat("past_key_values.", layer, ".key"));
  const ValueId past_value = graph.find_value(cat("past_key_values.", layer, ".value"));
  const ValueId out = builder.node(
      "GroupQueryAttention", graph::kMicrosoft, name,
      {q, k, v, past_key, past_value, frame.seqlens_k, frame.total_length, frame.cos, frame.sin},
      DType::kFloat32,
      {{"num_heads", shape.heads},
       {"kv_num_heads", shape.kv_heads},
       {"scale", 1.0f / std::sqrt(static_cast<float>(shape.head_dim))},
       {"do_rotary", int64_t{1}},
       {"rotary_interleaved", int64_t{0}},
       {"local_window_size", int64_t{-1}}});
  for (const char* part : {"key", "value"}) {
    const ValueId present =
        graph.add_value(cat("present.", layer, ".", part), cache_type(shape, "past + sequence"));
    graph.nodes.back().outputs.push_back(present);
    graph.outputs.push_back(present);
  }
  return out;
}

void add_logits(Builder& builder, ValueId logits, int64_t vocab) {
  builder.description.output = "logits";
  builder.description.vocabulary = vocab;
  builder.description.head = builder.description.modules.back().node;
  builder.description.modules.pop_back();  // adapters leave the head alone
  builder.output("logits", logits, {DType::kFloat32, Shape{"batch_size", "sequence", vocab}});
  auto& outputs = builder.graph.outputs;
  outputs.insert(outputs.begin(), outputs.back());
  outputs.pop_back();
}

}  // namespace enm::families
