#include "enm/formats/huggingface.h"

#include "enm/base/json.h"
#include "enm/base/version.h"
#include "enm/families/family.h"
#include "enm/formats/safetensors.h"

namespace enm::formats {
namespace {

constexpr int64_t kOpset = 17;
constexpr JsonLimits kConfigLimits = {.max_bytes = 16 << 20, .max_depth = 32};

Result<Json> read_json(const FileSource& files, const std::string& name) {
  ENM_ASSIGN_OR_RETURN(const Blob bytes, files.open(name));
  auto json = Json::parse(as_text(bytes.bytes()), kConfigLimits);
  if (!json.ok()) return json.status().in(name);
  return json;
}

Result<families::Pooling::Mode> read_pooling_mode(const FileSource& files,
                                                  const std::string& folder) {
  const std::string name = folder + "/config.json";
  ENM_ASSIGN_OR_RETURN(const Json json, read_json(files, name));
  ENM_ASSIGN_OR_RETURN(const bool mean, json.get_bool("pooling_mode_mean_tokens", false));
  ENM_ASSIGN_OR_RETURN(const bool cls, json.get_bool("pooling_mode_cls_token", false));
  int others = 0;
  for (const auto& [key, value] : json.members()) {
    const bool on = value.is_bool() && value.boolean();
    others += key.starts_with("pooling_mode_") && on ? 1 : 0;
  }
  if (mean == cls || others != 1) {
    return Unsupported(name, ": exactly one of mean and cls pooling is supported");
  }
  return mean ? families::Pooling::Mode::kMean : families::Pooling::Mode::kCls;
}

// modules.json lists Transformer, Pooling and perhaps Normalize, in that order.
Result<families::Pooling> read_pooling(const FileSource& files) {
  families::Pooling pooling;
  if (!files.contains("modules.json")) return pooling;
  ENM_ASSIGN_OR_RETURN(const Json modules, read_json(files, "modules.json"));
  for (const Json& module : modules.items()) {
    ENM_ASSIGN_OR_RETURN(const std::string type, module.get_string("type"));
    ENM_ASSIGN_OR_RETURN(const std::string path, module.get_string("path"));
    if (type.ends_with(".Transformer")) continue;
    if (type.ends_with(".Pooling")) {
      ENM_ASSIGN_OR_RETURN(pooling.mode, read_pooling_mode(files, path));
    } else if (type.ends_with(".Normalize")) {
      pooling.normalize = true;
    } else {
      return Unsupported("modules.json: module ", quoted(type), " is not supported; Transformer, ",
                         "Pooling and Normalize are");
    }
  }
  return pooling;
}

}  // namespace

bool is_huggingface_folder(const FileSource& files) {
  return files.contains("config.json") &&
         (files.contains("model.safetensors") || files.contains("model.safetensors.index.json"));
}

Result<graph::Graph> import_huggingface(const FileSource& files, int64_t context) {
  ENM_ASSIGN_OR_RETURN(const Json config, read_json(files, "config.json"));
  ENM_ASSIGN_OR_RETURN(const families::Pooling pooling, read_pooling(files));
  ENM_ASSIGN_OR_RETURN(const SafetensorsCheckpoint tensors, SafetensorsCheckpoint::open(files));
  ENM_ASSIGN_OR_RETURN(graph::Graph graph, families::build({config, tensors, pooling, context}));
  graph.producer = kProgram;
  graph.opsets = {{"", kOpset}, {std::string(graph::kMicrosoft), 1}};
  return graph;
}

}  // namespace enm::formats
