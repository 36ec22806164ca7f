// Which type each tensor of a GGUF file gets: the mixtures that people know by names as Q4_K_M.
// Source: llama.cpp, src/llama-quant.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "enm/families/decoder_config.h"
#include "enm/formats/gguf_types.h"

namespace enm::formats {

struct GgufRecipe {
  std::string_view name;           // "Q4_K_M"
  uint32_t file_type = 0;          // general.file_type
  GgmlType type = GgmlType::kF16;  // of what nothing else is said of
  enum class Mix : uint8_t { kNone, kSmall, kMedium } mix = Mix::kNone;
};

/// By its name; Q4_K and Q5_K are the medium mixtures. Null for a name that is none.
const GgufRecipe* find_gguf_recipe(std::string_view name);
/// "F16, Q8_0, ...": for messages.
std::string gguf_recipe_names();

/// The type of the tensor that files call `name`. Rows that are no whole blocks get a type of
/// smaller ones; vectors are F32.
GgmlType gguf_tensor_type(const GgufRecipe& recipe, const families::DecoderConfig& config,
                          std::string_view name, std::span<const int64_t> dims,
                          bool has_importance);

}  // namespace enm::formats
