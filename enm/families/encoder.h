// The frame of an encoder: inputs, and what becomes of the last states. A family adds its blocks.
#pragma once

#include "enm/families/builder.h"

namespace enm::families {

struct EncoderInputs {
  graph::ValueId input_ids = graph::kNoValue;     // i64[batch_size, sequence]
  graph::ValueId mask = graph::kNoValue;          // i64[batch_size, sequence]
  graph::ValueId padding_mask = graph::kNoValue;  // the same as i32
  graph::ValueId token_types = graph::kNoValue;   // i64[batch_size, sequence], if asked for
};

/// Names are read from the description's family, context_length, vocabulary and dimensions, which
/// the family has set.
EncoderInputs add_encoder_inputs(Builder& builder, bool token_types);

/// i64[1]: tokens of the longest text of the batch.
graph::ValueId add_sequence_length(Builder& builder, graph::ValueId input_ids);

/// last_hidden_state; and sentence_embedding, pooled and normalized as `pooling` says.
/// Source: sentence-transformers, models/Pooling.py
Result<graph::Graph> finish_encoder(Builder& builder, const EncoderInputs& inputs,
                                    graph::ValueId states, const Pooling& pooling);

}  // namespace enm::families
