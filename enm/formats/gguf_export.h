// Checkpoints as GGUF files that llama.cpp loads.
#pragma once

#include "enm/base/file.h"
#include "enm/base/threads.h"
#include "enm/families/decoder_config.h"
#include "enm/formats/gguf_importance.h"
#include "enm/formats/gguf_recipe.h"
#include "enm/formats/gguf_writer.h"

namespace enm::formats {

struct GgufExportOptions {
  const GgufRecipe* recipe = nullptr;          // of the matrices
  const GgufImportance* importance = nullptr;  // of their columns; null: as ggml weighs without
  std::string importance_file;                 // as the metadata tell it
  std::string name;                            // general.name
  ThreadPool* pool = nullptr;                  // quantizes; outlives the writing
};

/// The whole file of a Hugging Face folder: config.json, safetensors and tokenizer.json. Tensors
/// are handles, quantized when they are written: kInvalidArgument then for a weight that no half
/// holds. kUnsupported for what the format cannot say.
Result<GgufWriter> export_gguf(const FileSource& files, const GgufExportOptions& options);

/// The metadata of a decoder's architecture, and tensors of rotary factors. kUnsupported if files
/// have no architecture for it, or cannot say a choice that it makes.
Status add_gguf_config(const families::DecoderConfig& config, GgufWriter& writer);

/// The metadata of a folder's tokenizer.json and tokenizer_config.json, for `vocab` rows of the
/// table. kUnsupported names what llama.cpp would cut otherwise.
Status add_gguf_tokenizer(const FileSource& files, int64_t vocab, GgufWriter& writer);

}  // namespace enm::formats
