#include "enm/pipeline/checkpoint.h"

#include "enm/formats/gguf_files.h"
#include "enm/formats/gguf_import.h"
#include "enm/formats/gguf_tokenizer.h"
#include "enm/formats/huggingface.h"

namespace enm::pipeline {

Result<graph::Graph> import_checkpoint(const FileSource& files, const std::string& model_file,
                                       const LoadOptions& options) {
  if (!model_file.empty()) {
    return formats::import_gguf(files, model_file,
                                {.keep_blocks = options.keep_blocks, .context = options.context});
  }
  if (formats::is_huggingface_folder(files)) {
    return formats::import_huggingface(files, options.context);
  }
  return NotFound("no config.json with model.safetensors");
}

Result<text::Tokenizer> gguf_tokenizer(const FileSource& files, const std::string& model_file) {
  ENM_ASSIGN_OR_RETURN(const formats::GgufFile file, formats::GgufFile::open(files, model_file));
  auto tokenizer = formats::gguf_tokenizer(file.metadata());
  if (!tokenizer.ok()) return tokenizer.status().in(cat("[gguf] ", model_file));
  return tokenizer;
}

Result<std::shared_ptr<const FileSource>> gguf_folder(std::shared_ptr<const FileSource> files,
                                                      const std::string& model_file) {
  return std::make_shared<const formats::GgufFiles>(std::move(files), model_file);
}

}  // namespace enm::pipeline
