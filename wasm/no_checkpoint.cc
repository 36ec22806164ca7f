// The core module has no importers: in place of enm/pipeline/checkpoint.cc.
#include "enm/pipeline/checkpoint.h"

namespace enm::pipeline {
namespace {

Status not_here() {
  return Unsupported("no .onnx file here; checkpoints and .gguf files are for the full module");
}

}  // namespace

Result<graph::Graph> import_checkpoint(const FileSource&, const std::string&, const LoadOptions&) {
  return not_here();
}

Result<text::Tokenizer> gguf_tokenizer(const FileSource&, const std::string&) { return not_here(); }

Result<std::shared_ptr<const FileSource>> gguf_folder(std::shared_ptr<const FileSource>,
                                                      const std::string&) {
  return not_here();
}

}  // namespace enm::pipeline
