#include "enm/formats/gguf_files.h"

#include <algorithm>
#include <array>

#include "enm/base/json.h"
#include "enm/formats/gguf_config.h"
#include "enm/formats/gguf_tokenizer.h"

namespace enm::formats {
namespace {

// What transformers.js and tools ask of a decoder's config.json.
Result<std::string> config_json(const GgufFile& file) {
  ENM_ASSIGN_OR_RETURN(const families::DecoderConfig config, read_gguf_config(file));
  return cat(R"({"model_type":)", json_quote(config.family), R"(,"vocab_size":)", config.vocab,
             R"(,"hidden_size":)", config.hidden, R"(,"intermediate_size":)", config.intermediate,
             R"(,"num_hidden_layers":)", config.layers, R"(,"num_attention_heads":)", config.heads,
             R"(,"num_key_value_heads":)", config.kv_heads, R"(,"head_dim":)", config.head_dim,
             R"(,"max_position_embeddings":)", config.max_positions, "}");
}

struct MadeFile {
  std::string_view name;
  Result<std::string> (*make)(const GgufFile& file);
};

constexpr std::array kMade = {
    MadeFile{"config.json", config_json},
    MadeFile{"tokenizer.json",
             [](const GgufFile& file) { return gguf_tokenizer_json(file.metadata()); }},
    MadeFile{"tokenizer_config.json",
             [](const GgufFile& file) { return gguf_tokenizer_config_json(file.metadata()); }},
    MadeFile{"generation_config.json",
             [](const GgufFile& file) { return gguf_generation_config_json(file.metadata()); }},
};

}  // namespace

bool GgufFiles::contains(std::string_view name) const {
  if (name.ends_with(".gguf")) return base_->contains(name);
  return std::ranges::find(kMade, name, &MadeFile::name) != kMade.end();
}

Result<Blob> GgufFiles::open(std::string_view name) const {
  if (name.ends_with(".gguf")) return base_->open(name);
  const auto made = std::ranges::find(kMade, name, &MadeFile::name);
  if (made == kMade.end()) return NotFound("no file ", quoted(name), " in what a GGUF file tells");
  ENM_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::open(*base_, name_));
  const auto text = made->make(file);
  if (!text.ok()) return text.status().in(cat("[gguf] ", name_));
  const Bytes bytes = as_bytes(*text);
  return Blob::own({bytes.begin(), bytes.end()});
}

}  // namespace enm::formats
