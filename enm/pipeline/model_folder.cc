#include "enm/pipeline/model_folder.h"

#include "enm/base/json.h"
#include "enm/formats/huggingface.h"
#include "enm/formats/onnx_reader.h"

namespace enm::pipeline {

Result<graph::Graph> load_graph(const FileSource& files, const std::string& model_file) {
  if (!model_file.empty()) return formats::read_onnx(files, model_file);
  for (const char* name : {"model.onnx", "onnx/model.onnx"}) {
    if (files.contains(name)) return formats::read_onnx(files, name);
  }
  if (formats::is_huggingface_folder(files)) return formats::import_huggingface(files);
  return NotFound("no model here: looked for model.onnx, onnx/model.onnx and config.json with ",
                  "model.safetensors");
}

Result<text::Tokenizer> load_tokenizer(const FileSource& files) {
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

}  // namespace enm::pipeline
