// The tokenizer that a GGUF file holds, as the files that a Hugging Face folder has of it.
#pragma once

#include <string>

#include "enm/formats/gguf_file.h"
#include "enm/text/tokenizer.h"

namespace enm::formats {

/// The tokenizer. kUnsupported names a kind or a way to cut words that is not known.
Result<text::Tokenizer> gguf_tokenizer(const GgufMetadata& metadata);

/// The same as a tokenizer.json.
Result<std::string> gguf_tokenizer_json(const GgufMetadata& metadata);

/// tokenizer_config.json: the chat template and the texts of bos, eos, unk and pad tokens.
Result<std::string> gguf_tokenizer_config_json(const GgufMetadata& metadata);

/// generation_config.json: the ids that begin and end a text.
Result<std::string> gguf_generation_config_json(const GgufMetadata& metadata);

}  // namespace enm::formats
