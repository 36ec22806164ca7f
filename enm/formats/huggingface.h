// A Hugging Face folder (config.json, safetensors, for embedders modules.json) -> graph.
#pragma once

#include "enm/base/file.h"
#include "enm/graph/graph.h"

namespace enm::formats {

/// True if the folder looks like a checkpoint: config.json and safetensors.
bool is_huggingface_folder(const FileSource& files);

/// Reads the configuration, finds the family and lets it build the graph. Constants are handles
/// into the folder's mapped files. `context`: families::Checkpoint::context.
Result<graph::Graph> import_huggingface(const FileSource& files, int64_t context = 0);

}  // namespace enm::formats
