#include "cli/signing.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "cli/output/format.h"
#include "enm/distribution/signature.h"
#include "enm/families/recognize.h"
#include "enm/formats/onnx_writer.h"
#include "enm/pipeline/model_folder.h"

namespace cli {

namespace dist = enm::distribution;

namespace {

using Description = enm::graph::ModelDescription;
using Members = std::vector<enm::Json::Member>;

// What the model is made for, where the caller does not say.
enm::Result<std::string> type_of(const Description& description) {
  if (description.task == Description::Task::kTextGeneration) return std::string("text-generation");
  if (description.task == Description::Task::kEmbedding) return std::string("embedding");
  return enm::InvalidArgument("cannot tell what the model is for; say it by --type");
}

// "INT4" for products of 4-bit blocks, "INT8" for products of bytes or of blocks of them, "FP16"
// for halves; "" for none.
std::string quantization_of(const enm::graph::Graph& graph) {
  bool int8 = false;
  bool halves = false;
  for (const auto& node : graph.nodes) {
    const bool is_blocks = node.is("MatMulNBits", "com.microsoft");
    if (is_blocks && node.int_or("bits", 4) == 4) return "INT4";
    int8 = int8 || is_blocks || node.is("MatMulInteger");
  }
  for (size_t id = 0; id < graph.value_count(); ++id) {
    const auto* constant = graph.constant(static_cast<enm::graph::ValueId>(id));
    halves = halves || (constant != nullptr && constant->dtype == enm::graph::DType::kFloat16);
  }
  return int8 ? "INT8" : halves ? "FP16" : "";
}

void add_number(Members& members, const char* key, int64_t number) {
  if (number > 0) members.emplace_back(key, enm::Json(number));
}

enm::Json architecture_of(const Description& description) {
  Members out = {{"type", enm::Json(std::string("transformer"))}};
  add_number(out, "layers", static_cast<int64_t>(description.layers.size()));
  add_number(out, "hiddenSize", description.dimensions);
  add_number(out, "vocabSize", description.vocabulary);
  add_number(out, "contextLength", description.context_length);
  return enm::Json(std::move(out));
}

// What optimize wrote into the file, and how large the file is.
enm::Json optimization_of(const enm::graph::Graph& graph, const std::string& quantization) {
  Members out = {{"quantization", enm::Json(quantization)}};
  const auto noted = graph.metadata.find(std::string(kOptimizationKey));
  if (noted != graph.metadata.end()) {
    if (const auto json = enm::Json::parse(noted->second); json.ok() && json->is_object()) {
      for (const auto& [key, value] : json->members()) {
        if (key != "quantization") out.emplace_back(key, value);
      }
    }
  }
  out.emplace_back("optimizedSize", enm::Json(human_bytes(enm::formats::constant_bytes(graph))));
  return enm::Json(std::move(out));
}

// Bytes to run it: weights, and the key-value cache of the context that sessions have by default.
enm::Json requirements_of(const enm::graph::Graph& graph, const Description& description) {
  constexpr int64_t kDefaultContext = 4096;
  const int64_t context = description.context_length > 0
                              ? std::min(description.context_length, kDefaultContext)
                              : kDefaultContext;
  auto bytes = static_cast<int64_t>(enm::formats::constant_bytes(graph));
  for (const Description::Layer& layer : description.layers) {
    const int64_t row = std::min<int64_t>(layer.kv_heads * layer.head_dim, 1 << 20);
    bytes += 2 * row * context * static_cast<int64_t>(sizeof(float));
  }
  return enm::Json(Members{{"minMemory", enm::Json(bytes)},
                           {"simdRequired", enm::Json(true)},
                           {"webgpuOptional", enm::Json(true)}});
}

// The kinds of products that adapters may attach to: "q_proj", "fc1", ...
enm::Json adapters_of(const Description& description) {
  std::set<std::string> kinds;
  for (const Description::Module& module : description.modules) {
    kinds.insert(module.name.substr(module.name.rfind('.') + 1));
  }
  std::vector<enm::Json> names;
  for (const std::string& kind : kinds) names.emplace_back(kind);
  return enm::Json(Members{{"targetModules", enm::Json(std::move(names))}});
}

enm::Status fill_from_graph(const ModelArgument& model, dist::ManifestFields& fields) {
  const auto graph = enm::pipeline::load_graph(model.files(), model.file);
  if (!graph.ok()) return fields.type.empty() ? graph.status() : enm::Status();
  ENM_ASSIGN_OR_RETURN(const Description description, enm::families::describe(*graph));
  if (fields.type.empty()) {
    ENM_ASSIGN_OR_RETURN(fields.type, type_of(description));
  }
  if (fields.family.empty()) fields.family = description.family;
  if (description.task != Description::Task::kUnknown) {
    fields.extra.emplace_back("architecture", architecture_of(description));
    fields.extra.emplace_back("requirements", requirements_of(*graph, description));
  }
  if (!description.modules.empty()) {
    fields.extra.emplace_back("adapters", adapters_of(description));
  }
  const std::string quantization = quantization_of(*graph);
  if (!quantization.empty()) {
    fields.extra.emplace_back("optimization", optimization_of(*graph, quantization));
  }
  return {};
}

}  // namespace

enm::Result<dist::PrivateKey> load_signing_key(const std::string& path, const Context& context) {
  const std::string key_path = path.empty() ? context.config.signing_key_path() : path;
  auto key = dist::load_private_key(key_path);
  if (key.status().code() == enm::Code::kNotFound) {
    return enm::NotFound("no signing key at ", key_path,
                         "; make one: edge-net-models keys new --output ", key_path,
                         " --key-id YOUR-NAME");
  }
  return key;
}

enm::Result<dist::SignedManifest> sign_model(const ModelArgument& model,
                                             dist::ManifestFields fields,
                                             const dist::PrivateKey& key) {
  if (fields.id.empty()) {
    fields.id = std::filesystem::weakly_canonical(model.folder).filename().string();
  }
  if (fields.version.empty()) fields.version = "1.0.0";
  ENM_RETURN_IF_ERROR(fill_from_graph(model, fields));
  dist::SignedManifest out;
  ENM_ASSIGN_OR_RETURN(const auto files, dist::list_model_files(model.folder));
  ENM_ASSIGN_OR_RETURN(out.manifest, dist::build_manifest(model.folder, files, fields));
  ENM_ASSIGN_OR_RETURN(out.signature, dist::sign_manifest(out.manifest, key));
  const std::string base = model.folder + "/";
  // The signature goes last: a manifest whose signature is older than itself fails to verify.
  ENM_RETURN_IF_ERROR(enm::write_file_atomically(base + std::string(dist::kManifestFile),
                                                 enm::as_bytes(out.manifest)));
  ENM_RETURN_IF_ERROR(enm::write_file_atomically(base + std::string(dist::kSignatureFile),
                                                 enm::as_bytes(out.signature)));
  return out;
}

}  // namespace cli
