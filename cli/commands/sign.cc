#include <CLI/CLI.hpp>

#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/model_argument.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "enm/distribution/manifest.h"
#include "enm/distribution/manifest_build.h"
#include "enm/distribution/signature.h"
#include "enm/pipeline/model_folder.h"
#include "enm/runtime/decoder.h"
#include "enm/runtime/encoder.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

struct Options {
  std::string model;
  std::string key;
  dist::ManifestFields fields;
};

// What the graph is made for, where the caller does not say.
enm::Result<std::string> type_of(const ModelArgument& model) {
  ENM_ASSIGN_OR_RETURN(const auto graph, enm::pipeline::load_graph(model.files(), model.file));
  if (enm::runtime::Decoder::fits(graph)) return std::string("text-generation");
  if (enm::runtime::Encoder::fits(graph)) return std::string("embedding");
  return enm::InvalidArgument("cannot tell what the model is for; say it by --type");
}

enm::Status run(Options options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model, find_model(options.model));
  const std::string key_path =
      options.key.empty() ? context.config.signing_key_path() : options.key;
  auto key = dist::load_private_key(key_path);
  if (key.status().code() == enm::Code::kNotFound) {
    return enm::NotFound("no signing key at ", key_path,
                         "; make one: edge-net-models keys new --output ", key_path,
                         " --key-id YOUR-NAME");
  }
  if (!key.ok()) return key.status();
  dist::ManifestFields& fields = options.fields;
  if (fields.id.empty()) {
    fields.id = std::filesystem::weakly_canonical(model.folder).filename().string();
  }
  if (fields.type.empty()) {
    ENM_ASSIGN_OR_RETURN(fields.type, type_of(model));
  }
  ENM_ASSIGN_OR_RETURN(const auto files, dist::list_model_files(model.folder));
  ENM_ASSIGN_OR_RETURN(const std::string manifest,
                       dist::build_manifest(model.folder, files, fields));
  ENM_ASSIGN_OR_RETURN(const std::string signature, dist::sign_manifest(manifest, *key));
  const std::string base = model.folder + "/";
  // The signature goes last: a manifest whose signature is older than itself fails to verify.
  ENM_RETURN_IF_ERROR(
      enm::write_file_atomically(base + std::string(dist::kManifestFile), enm::as_bytes(manifest)));
  ENM_RETURN_IF_ERROR(enm::write_file_atomically(base + std::string(dist::kSignatureFile),
                                                 enm::as_bytes(signature)));
  const std::string& signer = key->public_key().key_id;
  context.say(enm::cat("signed ", fields.id, "@", fields.version, " (", files.size(), " files) as ",
                       signer));
  if (context.json) {
    context.print(JsonObject()
                      .add("id", fields.id)
                      .add("version", fields.version)
                      .add("type", fields.type)
                      .add("files", files)
                      .add("signed_by", signer)
                      .str());
  }
  return {};
}

}  // namespace

void add_sign(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      app.add_subcommand("sign", "Write manifest.json and manifest.sig beside a model");
  verb->add_option("model", options->model, "Model folder, or .onnx file")->required();
  verb->add_option("--key", options->key,
                   "Private key; signing.keyPath of the settings if not given");
  verb->add_option("--name", options->fields.id, "The model's id; the folder's name if not given");
  options->fields.version = "1.0.0";
  verb->add_option("--version", options->fields.version, "Its version")->capture_default_str();
  verb->add_option("--type", options->fields.type,
                   "text-generation or embedding; found out if not given");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
