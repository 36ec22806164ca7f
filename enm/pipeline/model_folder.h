// A model's folder as the pipeline sees it: which file is the graph, the tokenizer, what ends a
// text.
#pragma once

#include <string>
#include <vector>

#include "enm/base/file.h"
#include "enm/graph/graph.h"
#include "enm/text/tokenizer.h"

namespace enm::pipeline {

struct LoadOptions {
  /// Low-bit blocks of a GGUF file stay what they are; else they become floats.
  bool keep_blocks = true;
};

/// The graph: the named .onnx or .gguf file, or model.onnx, onnx/model.onnx or a Hugging Face
/// checkpoint, whichever comes first. kNotFound says what was looked for.
Result<graph::Graph> load_graph(const FileSource& files, const std::string& model_file = "",
                                const LoadOptions& options = {});

Result<text::Tokenizer> load_tokenizer(const FileSource& files);

/// Ids that end a text: eos_token_id of generation_config.json, else of config.json.
Result<std::vector<int32_t>> load_end_tokens(const FileSource& files);

}  // namespace enm::pipeline
