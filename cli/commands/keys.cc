#include <CLI/CLI.hpp>

#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/remote.h"
#include "enm/distribution/keys.h"
#include "enm/distribution/trust.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

enm::Status make_key(const std::string& output, const std::string& key_id, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const dist::PrivateKey key, dist::PrivateKey::generate(key_id));
  std::error_code error;
  const auto folder = std::filesystem::path(output).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  ENM_ASSIGN_OR_RETURN(const std::string public_path, dist::save_key_pair(key, output));
  const std::string fingerprint = dist::to_hex(key.public_key().fingerprint());
  context.say(enm::cat("private key: ", output, " (keep it secret)\npublic key:  ", public_path,
                       " (give it to those who verify)\nfingerprint: ", fingerprint));
  if (context.json) {
    context.print(JsonObject()
                      .add("keyId", key_id)
                      .add("private", output)
                      .add("public", public_path)
                      .add("fingerprint", fingerprint)
                      .str());
  }
  return {};
}

enm::Status list(const Context& context) {
  ENM_ASSIGN_OR_RETURN(const dist::TrustStore trust, open_trust(context));
  std::vector<std::vector<std::string>> rows = {{"KEY ID", "FINGERPRINT"}};
  std::vector<RawJson> json;
  for (const dist::PublicKey& key : trust.keys()) {
    rows.push_back({key.key_id, dist::to_hex(key.fingerprint())});
    json.push_back(JsonObject().add("keyId", key.key_id).add("fingerprint", rows.back()[1]).raw());
  }
  context.print(context.json ? JsonObject().add("trusted", json).str() : table(rows));
  return {};
}

enm::Status trust(const std::string& path, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const dist::PublicKey key, dist::load_public_key(path));
  ENM_ASSIGN_OR_RETURN(dist::TrustStore store, open_trust(context));
  ENM_RETURN_IF_ERROR(store.trust(key));
  context.say(enm::cat("models signed by ", key.key_id, " are trusted from now on"));
  if (context.json) context.print(JsonObject().add("trusted", key.key_id).str());
  return {};
}

enm::Status remove(const std::string& key_id, const Context& context) {
  ENM_ASSIGN_OR_RETURN(dist::TrustStore store, open_trust(context));
  ENM_RETURN_IF_ERROR(store.remove(key_id));
  context.say(enm::cat(key_id, " is no longer trusted"));
  if (context.json) context.print(JsonObject().add("removed", key_id).str());
  return {};
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  struct Options {
    std::string output, key_id, path;
  };
  auto options = std::make_shared<Options>();
  CLI::App* keys = app.add_subcommand("keys", "Make signing keys, and say whose to trust")
                       ->require_subcommand(1);

  CLI::App* maker = keys->add_subcommand("new", "Make a key pair to sign with");
  maker
      ->add_option("-o,--output", options->output,
                   "File of the private key, K.pem; K.pub.pem is put beside it")
      ->required();
  maker->add_option("--key-id", options->key_id, "The name that signatures give")->required();
  maker->callback([&context, options] {
    context.run = [&context, options] {
      return make_key(options->output, options->key_id, context);
    };
  });

  keys->add_subcommand("list", "Whose signatures are trusted")->callback([&context] {
    context.run = [&context] { return list(context); };
  });

  CLI::App* truster = keys->add_subcommand("trust", "Trust the models that a key signs");
  truster->add_option("key", options->path, "Its PEM file, public or private")->required();
  truster->callback([&context, options] {
    context.run = [&context, options] { return trust(options->path, context); };
  });

  CLI::App* remover = keys->add_subcommand("remove", "Trust a key no longer");
  remover->add_option("key-id", options->key_id, "Its name")->required();
  remover->callback([&context, options] {
    context.run = [&context, options] { return remove(options->key_id, context); };
  });
}

}  // namespace cli
