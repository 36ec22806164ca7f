// Importance matrices: how large the activations were that each column of a tensor met, measured by
// llama-imatrix. GGUF files of them, and the older .dat:
//
//   i32 entries | each: i32 length, name | i32 calls | i32 values | f32 sums of squares
//   i32 chunks | i32 length, name of the text                                   (may be absent)
// Source: llama.cpp, common/imatrix-loader.cpp and tools/quantize/quantize.cpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "enm/base/file.h"

namespace enm::formats {

struct GgufImportance {
  /// By the name that GGUF files give the tensor: a mean square for each column.
  std::map<std::string, std::vector<float>, std::less<>> columns;
  std::string text;  // what was read to measure it
  int64_t chunks = 0;
};

/// kCorrupt for a number that is negative or not finite.
Result<GgufImportance> read_importance(const FileSource& files, const std::string& name);

}  // namespace enm::formats
