// Floats as blocks, the bytes that ggml_quantize_chunk makes of them.
// Source: ggml, ggml-quants.c.
#pragma once

#include "enm/formats/gguf_types.h"

namespace enm::formats {

/// A row of `columns` weights, a multiple of the type's block, into row_bytes(columns) bytes.
/// `importance` says for each column how much an error counts there; null: as ggml weighs without.
/// Q8_0 has no choice to make by it. Any type but Q2_K, Q3_K and IQ4_NL.
void quantize_ggml_row(const GgmlTypeInfo& type, const float* row, int64_t columns,
                       const float* importance, uint8_t* out);

/// One block of Q4_K or Q5_K; of Q6_K.
void quantize_k_minimum(const GgmlTypeInfo& type, const float* x, const float* importance,
                        uint8_t* out);
void quantize_q6_k(const float* x, const float* importance, uint8_t* out);

}  // namespace enm::formats
