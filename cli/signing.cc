#include "cli/signing.h"

#include <filesystem>

#include "enm/distribution/signature.h"
#include "enm/families/recognize.h"
#include "enm/pipeline/model_folder.h"

namespace cli {

namespace dist = enm::distribution;

namespace {

// What the graph is made for, where the caller does not say.
enm::Result<std::string> type_of(const enm::graph::Graph& graph) {
  using Task = enm::graph::ModelDescription::Task;
  ENM_ASSIGN_OR_RETURN(const auto description, enm::families::describe(graph));
  if (description.task == Task::kTextGeneration) return std::string("text-generation");
  if (description.task == Task::kEmbedding) return std::string("embedding");
  return enm::InvalidArgument("cannot tell what the model is for; say it by --type");
}

// "INT4" for products of 4-bit blocks, "INT8" for products of bytes, "FP16" for halves; "" for
// none.
std::string quantization_of(const enm::graph::Graph& graph) {
  bool int8 = false;
  bool halves = false;
  for (const auto& node : graph.nodes) {
    if (node.is("MatMulNBits", "com.microsoft")) return "INT4";
    int8 = int8 || node.is("MatMulInteger");
  }
  for (size_t id = 0; id < graph.value_count(); ++id) {
    const auto* constant = graph.constant(static_cast<enm::graph::ValueId>(id));
    halves = halves || (constant != nullptr && constant->dtype == enm::graph::DType::kFloat16);
  }
  return int8 ? "INT8" : halves ? "FP16" : "";
}

enm::Status fill_from_graph(const ModelArgument& model, dist::ManifestFields& fields) {
  const auto graph = enm::pipeline::load_graph(model.files(), model.file);
  if (!graph.ok()) return fields.type.empty() ? graph.status() : enm::Status();
  if (fields.type.empty()) {
    ENM_ASSIGN_OR_RETURN(fields.type, type_of(*graph));
  }
  const std::string quantization = quantization_of(*graph);
  if (quantization.empty()) return {};
  std::vector<enm::Json::Member> optimization = {{"quantization", enm::Json(quantization)}};
  fields.extra.emplace_back("optimization", enm::Json(std::move(optimization)));
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
