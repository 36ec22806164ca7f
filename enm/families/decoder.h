// The frame of a decoder in the layout of onnxruntime-genai and transformers.js: inputs, key-value
// cache, rotary tables. A family adds its blocks.
#pragma once

#include "enm/families/builder.h"
#include "enm/families/config_reader.h"

namespace enm::families {

struct DecoderShape {
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t max_positions = 0;
};

/// The values that every layer reads.
struct DecoderFrame {
  graph::ValueId input_ids = graph::kNoValue;     // i64[batch, sequence]
  graph::ValueId seqlens_k = graph::kNoValue;     // i32[batch_size]: past + sequence - 1
  graph::ValueId total_length = graph::kNoValue;  // i32[]: past + sequence
  graph::ValueId cos = graph::kNoValue;           // f32[max_positions, rotary_dim / 2]
  graph::ValueId sin = graph::kNoValue;
};

/// Adds input_ids, attention_mask and past_key_values.N.key/value, and computes the frame.
DecoderFrame add_decoder_inputs(Builder& builder, const DecoderShape& shape, const Rope& rope);

/// com.microsoft.GroupQueryAttention over the layer's cache with rotary positions; adds
/// present.N.key/value to the outputs. q [batch, sequence, heads * head_dim], k and v
/// [batch, sequence, kv_heads * head_dim] -> [batch, sequence, heads * head_dim].
graph::ValueId add_attention(Builder& builder, const DecoderShape& shape, const DecoderFrame& frame,
                             int64_t layer, const std::string& name, graph::ValueId q,
                             graph::ValueId k, graph::ValueId v);

/// Makes logits the first output, as transformers.js expects. The head is the linear layer that was
/// added last.
void add_logits(Builder& builder, graph::ValueId logits, int64_t vocab);

}  // namespace enm::families
