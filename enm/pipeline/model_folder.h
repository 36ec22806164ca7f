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
  /// Positions that a checkpoint's rotary tables get; 0: its own, at most 8192.
  int64_t context = 0;
  /// Low-bit blocks of a GGUF file stay what they are; else they become floats.
  bool keep_blocks = true;
};

/// The graph: the named .onnx or .gguf file, or model.onnx, onnx/model.onnx or a Hugging Face
/// checkpoint, whichever comes first. kNotFound says what was looked for.
Result<graph::Graph> load_graph(const FileSource& files, const std::string& model_file = "",
                                const LoadOptions& options = {});

/// The folder's, or that of the .gguf file.
Result<text::Tokenizer> load_tokenizer(const FileSource& files, const std::string& model_file = "");

/// Ids that end a text: eos_token_id of generation_config.json, else of config.json.
Result<std::vector<int32_t>> load_end_tokens(const FileSource& files);

/// What embedders put before texts of a kind (config_sentence_transformers.json).
struct Prompts {
  std::vector<std::pair<std::string, std::string>> texts;  // by name
  std::string usual;                                       // name of the one that is taken unasked

  /// kNotFound naming the ones there are. Where the folder names none, "query" and "passage" are
  /// E5's "query: " and "passage: ".
  Result<std::string> find(std::string_view name) const;
};
Result<Prompts> load_prompts(const FileSource& files);

}  // namespace enm::pipeline
