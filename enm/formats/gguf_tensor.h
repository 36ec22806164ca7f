// Tensors of a GGUF file as the graph reads them: floats, or blocks in MatMulNBits' layout. Handles
// into the file; bytes are made when they are loaded, row by row.
#pragma once

#include <optional>

#include "enm/families/family.h"
#include "enm/formats/gguf_file.h"

namespace enm::formats {

/// Which row of the file's tensor is row `row` of the model's. Files of the llama architecture hold
/// queries and keys for rotary positions that turn neighbours: row 2 i + half of a head is what
/// checkpoints call row half * head_dim / 2 + i.
struct RowOrder {
  int64_t head_dim = 0;  // 0: as the file has them

  int64_t file_row(int64_t row) const {
    if (head_dim == 0) return row;
    const int64_t within = row % head_dim;
    const int64_t half = head_dim / 2;
    return row - within + within % half * 2 + within / half;
  }
};

/// The tensor in floats: the file's own bytes where it holds f32, f16 or bf16 in this order, else
/// f32. Its type is one that is read.
graph::Tensor gguf_floats(const GgufTensor& tensor, RowOrder order = {});

/// The tensor's blocks as they are; nothing if its elements are floats or it is no matrix.
std::optional<families::BlockWeight> gguf_blocks(const GgufTensor& tensor, RowOrder order = {});

}  // namespace enm::formats
