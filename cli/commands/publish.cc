#include "enm/net/publish.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/remote.h"
#include "cli/signing.h"
#include "enm/distribution/signature.h"
#include "enm/distribution/verify.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

struct Options {
  std::string model;
  std::string key;
  dist::ManifestFields fields;
};

struct Signed {
  dist::SignedManifest bytes;
  dist::PublicKey key;
};

// The folder's manifest.json and manifest.sig, if every file is as they say and `key_path` (either
// half of the key) made them.
enm::Result<Signed> signed_before(const ModelArgument& model, const std::string& key_path) {
  const std::string base = model.folder + "/";
  Signed out;
  ENM_ASSIGN_OR_RETURN(const auto manifest, enm::read_file(base + std::string(dist::kManifestFile),
                                                           dist::kMaxManifestBytes));
  out.bytes.manifest = enm::as_text(manifest);
  ENM_ASSIGN_OR_RETURN(
      const auto signature,
      enm::read_file(base + std::string(dist::kSignatureFile), dist::kMaxSignatureBytes));
  out.bytes.signature = enm::as_text(signature);
  ENM_ASSIGN_OR_RETURN(out.key, dist::load_public_key(key_path));
  dist::TrustStore signer;
  ENM_RETURN_IF_ERROR(signer.trust(out.key));
  ENM_ASSIGN_OR_RETURN(const auto report, dist::verify_folder(model.folder, &signer));
  if (report.ok()) return out;
  return enm::Corrupt(model.folder, ": ", enm::join(report.problems, "; "),
                      ". `edge-net-models sign` makes the manifest anew");
}

// Signs, unless that was done and nothing else is asked for.
enm::Result<Signed> sign(const ModelArgument& model, dist::ManifestFields fields,
                         const std::string& key_path, const Context& context) {
  const auto bytes =
      enm::read_file(enm::cat(model.folder, "/", dist::kManifestFile), dist::kMaxManifestBytes);
  if (bytes.ok()) {
    ENM_ASSIGN_OR_RETURN(const auto old, dist::parse_manifest(enm::as_text(*bytes)));
    const auto keep = [](std::string& asked, const std::string& was) {
      const bool same = asked.empty() || asked == was;
      if (asked.empty()) asked = was;
      return same;
    };
    const bool same =
        keep(fields.id, old.id) & keep(fields.version, old.version) & keep(fields.type, old.type);
    if (same) return signed_before(model, key_path);
  }
  ENM_ASSIGN_OR_RETURN(const auto key, load_signing_key(key_path, context));
  Signed out;
  ENM_ASSIGN_OR_RETURN(out.bytes, sign_model(model, fields, key));
  out.key = key.public_key();
  return out;
}

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model, find_model(options.model));
  const std::string key_path =
      options.key.empty() ? context.config.signing_key_path() : options.key;
  ENM_ASSIGN_OR_RETURN(const Signed signed_model, sign(model, options.fields, key_path, context));
  ENM_ASSIGN_OR_RETURN(const auto manifest, dist::parse_manifest(signed_model.bytes.manifest));
  const std::string name = enm::cat(manifest.id, "@", manifest.version);
  const std::string registry = context.config.registry();
  if (registry.starts_with("file:")) {
    return enm::Unsupported("a folder is no registry to publish to; copy the signed model to ",
                            registry, "/", manifest.id, "/", manifest.version);
  }
  enm::net::HttpClient client(http_options(context));
  auto published = [&] {
    Progress progress = context.progress(name, manifest.total_size(), Unit::kBytes);
    enm::net::PublishOptions publish{retry_policy(context), interrupted, nullptr};
    publish.report = [&](uint64_t there, uint64_t total, uint64_t) {
      progress.update(there, total);
    };
    return enm::net::publish(client, registry, model.folder, signed_model.bytes, signed_model.key,
                             publish);
  }();
  if (!published.ok()) return with_advice(published.status());
  context.say(published->existed
                  ? enm::cat(name, " was published there before, the same to the byte")
                  : enm::cat("published ", name, " (", human_bytes(manifest.total_size()), ", ",
                             human_bytes(published->sent), " sent) as ", signed_model.key.key_id));
  if (context.json) {
    context.print(JsonObject()
                      .add("id", manifest.id)
                      .add("version", manifest.version)
                      .add("registry", registry)
                      .add("bytes", manifest.total_size())
                      .add("sent_bytes", published->sent)
                      .add("existed", published->existed)
                      .add("signed_by", signed_model.key.key_id)
                      .str());
  }
  return {};
}

}  // namespace

void add_publish(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("publish", "Sign a model and send it to the registry");
  verb->add_option("model", options->model, "Model folder, or .onnx file")->required();
  verb->add_option("--name", options->fields.id, "The model's id; the folder's name if not given");
  verb->add_option("--version", options->fields.version, "Its version; 1.0.0 if not given");
  verb->add_option("--type", options->fields.type,
                   "text-generation or embedding; found out if not given");
  verb->add_option("--key", options->key,
                   "Private key, or the public half where `sign` was run before; signing.keyPath "
                   "of the settings if not given");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
