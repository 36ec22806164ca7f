// GGUF files as graphs.
#pragma once

#include "enm/base/file.h"
#include "enm/graph/graph.h"

namespace enm::formats {

struct GgufImportOptions {
  /// Blocks that MatMulNBits carries stay what they are; else all weights become floats.
  bool keep_blocks = true;
  int64_t context = 0;  // positions of the rotary tables; 0: the model's, at most 8192
};

/// The decoder of a GGUF file, or of one in parts by the first of them.
Result<graph::Graph> import_gguf(const FileSource& files, const std::string& name,
                                 const GgufImportOptions& options = {});

}  // namespace enm::formats
