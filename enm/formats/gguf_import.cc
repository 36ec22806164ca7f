#include "enm/formats/gguf_import.h"

#include "enm/base/version.h"
#include "enm/formats/gguf_config.h"

namespace enm::formats {

namespace {
constexpr int64_t kOpset = 17;
constexpr int64_t kInt8Activations = 4;  // ggml multiplies blocks with activations in blocks, too
}  // namespace

Result<graph::Graph> import_gguf(const FileSource& files, const std::string& name,
                                 const GgufImportOptions& options) {
  ENM_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::open(files, name));
  const auto build = [&]() -> Result<graph::Graph> {
    ENM_ASSIGN_OR_RETURN(const families::DecoderConfig config, read_gguf_config(file));
    ENM_ASSIGN_OR_RETURN(const GgufCheckpoint checkpoint,
                         GgufCheckpoint::open(file, config, options.keep_blocks));
    return families::build_decoder(config, checkpoint, {.context = options.context});
  };
  auto graph = build();
  if (!graph.ok()) return graph.status().in(cat("[gguf] ", name));
  for (graph::Node& node : graph->nodes) {
    if (node.is("MatMulNBits", graph::kMicrosoft))
      node.attributes["accuracy_level"] = kInt8Activations;
  }
  graph->producer = kProgram;
  graph->opsets = {{"", kOpset}, {std::string(graph::kMicrosoft), 1}};
  return graph;
}

}  // namespace enm::formats
