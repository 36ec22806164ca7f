#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/output/json_writer.h"
#include "cli/signing.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

struct Options {
  std::string model;
  std::string key;
  dist::ManifestFields fields;
};

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model, find_model(options.model));
  ENM_ASSIGN_OR_RETURN(const auto key, load_signing_key(options.key, context));
  ENM_ASSIGN_OR_RETURN(const auto bytes, sign_model(model, options.fields, key));
  ENM_ASSIGN_OR_RETURN(const dist::Manifest manifest, dist::parse_manifest(bytes.manifest));
  const std::string& signer = key.public_key().key_id;
  context.say(enm::cat("signed ", manifest.id, "@", manifest.version, " (",
                       manifest.artifacts.size(), " files) as ", signer));
  if (context.json) {
    std::vector<std::string> files;
    for (const auto& artifact : manifest.artifacts) files.push_back(artifact.filename);
    context.print(JsonObject()
                      .add("id", manifest.id)
                      .add("version", manifest.version)
                      .add("type", manifest.type)
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
  verb->add_option("--version", options->fields.version, "Its version; 1.0.0 if not given");
  verb->add_option("--type", options->fields.type,
                   "text-generation or embedding; found out if not given");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
