// Checkpoints as GGUF files that llama.cpp loads.
#pragma once

#include "enm/base/file.h"
#include "enm/families/decoder_config.h"
#include "enm/formats/gguf_writer.h"

namespace enm::formats {

struct GgufExportOptions {
  /// Of the matrices: kF16, kQ8_0 or kQ4_0. The head and a table that it shares stay in kQ8_0 with
  /// kQ4_0, rows that are no whole blocks in kF16, vectors in kF32.
  GgmlType type = GgmlType::kQ8_0;
  std::string name;  // general.name
};

/// The whole file of a Hugging Face folder: config.json, safetensors and tokenizer.json. Tensors
/// are handles, quantized when they are written. kUnsupported for what the format cannot say.
Result<GgufWriter> export_gguf(const FileSource& files, const GgufExportOptions& options);

/// The metadata of a decoder's architecture, and tensors of rotary factors. kUnsupported if files
/// have no architecture for it, or cannot say a choice that it makes.
Status add_gguf_config(const families::DecoderConfig& config, GgufWriter& writer);

/// The metadata of a folder's tokenizer.json and tokenizer_config.json, for `vocab` rows of the
/// table. kUnsupported names what llama.cpp would cut otherwise.
Status add_gguf_tokenizer(const FileSource& files, int64_t vocab, GgufWriter& writer);

}  // namespace enm::formats
