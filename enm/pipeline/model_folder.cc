#include "enm/pipeline/model_folder.h"

#include "enm/base/json.h"
#include "enm/formats/onnx_reader.h"
#include "enm/pipeline/checkpoint.h"

namespace enm::pipeline {

Result<graph::Graph> load_graph(const FileSource& files, const std::string& model_file,
                                const LoadOptions& options) {
  if (model_file.ends_with(".gguf")) return import_checkpoint(files, model_file, options);
  if (!model_file.empty()) return formats::read_onnx(files, model_file);
  for (const char* name : {"model.onnx", "onnx/model.onnx", "onnx/model_q4.onnx",
                           "onnx/model_quantized.onnx", "onnx/model_fp16.onnx"}) {
    if (files.contains(name)) return formats::read_onnx(files, name);
  }
  auto graph = import_checkpoint(files, "", options);
  if (graph.status().code() != Code::kNotFound) return graph;
  return NotFound(
      "no model here: looked for model.onnx, onnx/model.onnx (or _q4, _quantized, _fp16) ",
      "and config.json with model.safetensors");
}

Result<text::Tokenizer> load_tokenizer(const FileSource& files, const std::string& model_file) {
  if (model_file.ends_with(".gguf")) return gguf_tokenizer(files, model_file);
  return text::Tokenizer::load(files);
}

Result<std::vector<int32_t>> load_end_tokens(const FileSource& files) {
  std::vector<int32_t> out;
  for (const char* name : {"generation_config.json", "config.json"}) {
    if (!files.contains(name)) continue;
    ENM_ASSIGN_OR_RETURN(const Blob bytes, files.open(name));
    const auto json = Json::parse(as_text(bytes.bytes()));
    if (!json.ok()) return json.status().in(name);
    const Json* id = json->find("eos_token_id");
    if (id == nullptr || id->is_null()) continue;
    const std::vector<Json> ids = id->is_array() ? id->items() : std::vector<Json>{*id};
    for (const Json& one : ids) {
      if (!one.is_int()) return Corrupt(name, ": eos_token_id is no number");
      out.push_back(static_cast<int32_t>(one.integer()));
    }
    break;
  }
  return out;
}

Result<std::string> Prompts::find(std::string_view name) const {
  std::vector<std::string> known;
  for (const auto& [key, text] : texts) {
    if (key == name) return text;
    known.push_back(key);
  }
  if (texts.empty() && (name == "query" || name == "passage")) return cat(name, ": ");
  if (texts.empty()) known = {"query", "passage"};
  return NotFound("there is no prompt ", quoted(name), "; the model has ", join(known, ", "));
}

Result<Prompts> load_prompts(const FileSource& files) {
  constexpr const char* kName = "config_sentence_transformers.json";
  Prompts out;
  if (!files.contains(kName)) return out;
  ENM_ASSIGN_OR_RETURN(const Blob bytes, files.open(kName));
  const auto json = Json::parse(as_text(bytes.bytes()));
  if (!json.ok()) return json.status().in(kName);
  if (const Json* prompts = json->find("prompts"); prompts != nullptr) {
    for (const auto& [name, text] : prompts->members()) {
      if (!text.is_string()) return Corrupt(kName, ": prompt ", quoted(name), " is no text");
      // Folders that were saved without prompts say so by empty ones.
      if (!text.string().empty()) out.texts.emplace_back(name, text.string());
    }
  }
  auto usual = json->get_string("default_prompt_name", "");
  if (!usual.ok()) return usual.status().in(kName);
  out.usual = *std::move(usual);
  return out;
}

}  // namespace enm::pipeline
