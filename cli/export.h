// Writing a model where the user asked for it: a folder, or an .onnx file with its companions
// beside.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/model_argument.h"
#include "enm/formats/gguf_writer.h"
#include "enm/graph/graph.h"

namespace cli {

struct Exported {
  std::string path;    // of the .onnx or .gguf file
  uint64_t bytes = 0;  // of it and its external data
};

enum class Layout {
  kPlain,           // model.onnx beside its companions
  kTransformersJs,  // onnx/<name>.onnx with external data, as transformers.js looks for it
};

struct ExportOptions {
  Layout layout = Layout::kPlain;
  std::string name = "model";  // of the file, where the output is a folder
  std::string dtype;           // kTransformersJs: as it calls the kind of the weights
  bool external_data = false;
};

/// Writes the graph and copies tokenizer.json, tokenizer_config.json, config.json,
/// generation_config.json and the embedder's files beside it. Tensors go to <output>_data if that
/// is asked for or there are more than 256 MB of them. An interrupted write leaves nothing under
/// the final name: a model that is there is whole, with its own data beside it.
enm::Result<Exported> export_model(const enm::graph::Graph& graph, const ModelArgument& source,
                                   const std::string& output, const ExportOptions& given,
                                   const Context& context);

/// Writes a GGUF file, whole or not at all. `output` is the file, or a folder to write model.gguf
/// in.
enm::Result<Exported> export_gguf(const enm::formats::GgufWriter& writer, const std::string& output,
                                  const Context& context);

}  // namespace cli
