#include "enm/formats/gguf_recipe.h"

#include <array>
#include <charconv>
#include <vector>

#include "enm/base/strings.h"
#include "enm/formats/gguf_config.h"

namespace enm::formats {
namespace {

using families::DecoderConfig;
using Mix = GgufRecipe::Mix;

constexpr std::array kRecipes = {
    GgufRecipe{"F16", 1, GgmlType::kF16},
    GgufRecipe{"BF16", 32, GgmlType::kBF16},
    GgufRecipe{"Q8_0", 7, GgmlType::kQ8_0},
    GgufRecipe{"Q4_0", 2, GgmlType::kQ4_0},
    GgufRecipe{"Q4_K_S", 14, GgmlType::kQ4_K, Mix::kSmall},
    GgufRecipe{"Q4_K_M", 15, GgmlType::kQ4_K, Mix::kMedium},
    GgufRecipe{"Q5_K_S", 16, GgmlType::kQ5_K, Mix::kSmall},
    GgufRecipe{"Q5_K_M", 17, GgmlType::kQ5_K, Mix::kMedium},
    GgufRecipe{"Q6_K", 18, GgmlType::kQ6_K},
};

bool is_q4_k_s(const GgufRecipe& recipe) {
  return recipe.type == GgmlType::kQ4_K && recipe.mix == Mix::kSmall;
}

int64_t block_of(GgmlType type) { return find_ggml_type(static_cast<uint32_t>(type))->block; }

// Of "blk.3.ffn_down.weight"; 0 for other names.
int64_t layer_of(std::string_view name) {
  int64_t layer = 0;
  constexpr std::string_view kPrefix = "blk.";
  if (name.starts_with(kPrefix)) {
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), layer);
  }
  return layer;
}

// The first and the last eighth, and every third layer between.
bool gets_more_bits(int64_t layer, int64_t layers) {
  return layer < layers / 8 || layer >= 7 * layers / 8 || (layer - layers / 8) % 3 == 2;
}

GgmlType type_of_head(GgmlType type, int64_t columns) {
  if (columns % block_of(type) != 0 || type == GgmlType::kQ8_0) return GgmlType::kQ8_0;
  return GgmlType::kQ6_K;
}

// Values are shared by several heads of queries, so that more bits for them cost little.
GgmlType type_of_values(const GgufRecipe& recipe, const DecoderConfig& config, int64_t layer) {
  GgmlType type = recipe.type;
  if (recipe.mix == Mix::kMedium && gets_more_bits(layer, config.layers)) type = GgmlType::kQ6_K;
  if (is_q4_k_s(recipe) && layer < 4) type = GgmlType::kQ5_K;
  const bool is_llama_70b = gguf_architecture(config) == "llama" && config.layers == 80 &&
                            config.heads != config.kv_heads;
  return is_llama_70b && type == GgmlType::kQ4_K ? GgmlType::kQ5_K : type;
}

GgmlType type_of_down(const GgufRecipe& recipe, const DecoderConfig& config, int64_t layer,
                      bool has_importance) {
  if (recipe.mix == Mix::kMedium && gets_more_bits(layer, config.layers)) return GgmlType::kQ6_K;
  if (layer >= config.layers / 8) return recipe.type;
  if (is_q4_k_s(recipe)) return GgmlType::kQ5_K;
  return recipe.type == GgmlType::kQ4_0 && has_importance ? GgmlType::kQ4_1 : recipe.type;
}

// A type of smaller blocks where the rows are no whole ones of this.
GgmlType fitting(GgmlType type, int64_t columns) {
  if (columns % block_of(type) == 0) return type;
  if (type == GgmlType::kQ4_K) type = GgmlType::kQ5_0;
  if (type == GgmlType::kQ5_K) type = GgmlType::kQ5_1;
  if (type == GgmlType::kQ6_K) type = GgmlType::kQ8_0;
  return columns % block_of(type) == 0 ? type : GgmlType::kF16;
}

}  // namespace

const GgufRecipe* find_gguf_recipe(std::string_view name) {
  for (const GgufRecipe& recipe : kRecipes) {
    const bool is_short = recipe.mix == Mix::kMedium && recipe.name.starts_with(name) &&
                          name.size() + 2 == recipe.name.size();
    if (recipe.name == name || is_short) return &recipe;
  }
  return nullptr;
}

std::string gguf_recipe_names() {
  std::vector<std::string> names;
  for (const GgufRecipe& recipe : kRecipes) names.emplace_back(recipe.name);
  return join(names, ", ");
}

GgmlType gguf_tensor_type(const GgufRecipe& recipe, const DecoderConfig& config,
                          std::string_view name, std::span<const int64_t> dims,
                          bool has_importance) {
  if (dims.size() != 2) return GgmlType::kF32;
  if (recipe.type == GgmlType::kF16 || recipe.type == GgmlType::kBF16) return recipe.type;
  const auto is = [&](std::string_view module) {
    return name.find(module) != std::string_view::npos;
  };
  const bool is_head = name == "output.weight" || (config.tied_head && name == "token_embd.weight");
  GgmlType type = recipe.type;
  if (is_head) {
    type = type_of_head(type, dims[1]);
  } else if (is("attn_v.weight") || is("attn_qkv.weight")) {
    type = type_of_values(recipe, config, layer_of(name));
  } else if (is("ffn_down")) {
    type = type_of_down(recipe, config, layer_of(name), has_importance);
  }
  return fitting(type, dims[1]);
}

}  // namespace enm::formats
