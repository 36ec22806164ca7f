// Models that are built rather than read: Hugging Face checkpoints and GGUF files. Programs that
// must be small are linked with wasm/no_checkpoint.cc in place of checkpoint.cc and answer
// kUnsupported here.
#pragma once

#include <memory>
#include <string>

#include "enm/base/file.h"
#include "enm/pipeline/model_folder.h"

namespace enm::pipeline {

/// The graph of the named .gguf file; without a name that of the folder's Hugging Face checkpoint,
/// kNotFound if it has none.
Result<graph::Graph> import_checkpoint(const FileSource& files, const std::string& model_file,
                                       const LoadOptions& options);

/// The tokenizer that the metadata of a .gguf file describes.
Result<text::Tokenizer> gguf_tokenizer(const FileSource& files, const std::string& model_file);

/// A .gguf file as the folder that a checkpoint would be (formats::GgufFiles).
Result<std::shared_ptr<const FileSource>> gguf_folder(std::shared_ptr<const FileSource> files,
                                                      const std::string& model_file);

}  // namespace enm::pipeline
