#include "enm/distribution/verify.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/model_argument.h"
#include "cli/output/json_writer.h"
#include "cli/remote.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

struct Options {
  std::string model;
  bool check_signature = false;
};

// A folder or file, or a model of the cache: nothing is fetched to be verified.
enm::Result<ModelArgument> model_here(const std::string& argument, const Context& context) {
  if (enm::net::is_hub_reference(argument)) {
    ENM_ASSIGN_OR_RETURN(const enm::net::HubRef hub, enm::net::parse_hub_reference(argument));
    ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                         dist::Cache::open(context.config.cache_directory()));
    ENM_ASSIGN_OR_RETURN(const dist::CachedModel model,
                         enm::net::find_cached_hub(cache, context.config.get("hub.endpoint"), hub));
    return ModelArgument{model.folder, ""};
  }
  auto local = find_model(argument);
  const auto ref = dist::parse_model_ref(argument);
  if (local.status().code() != enm::Code::kNotFound || !ref.ok()) return local;
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  ENM_ASSIGN_OR_RETURN(const dist::CachedModel model, cache.find(*ref));
  return ModelArgument{model.folder, ""};
}

enm::Status run(const Options& options, Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model, model_here(options.model, context));
  ENM_ASSIGN_OR_RETURN(const dist::TrustStore trust, open_trust(context));
  ENM_ASSIGN_OR_RETURN(
      const dist::VerifyReport report,
      dist::verify_folder(model.folder, options.check_signature ? &trust : nullptr));
  if (context.json) {
    context.print(JsonObject()
                      .add("ok", report.ok())
                      .add("signed_by", report.signed_by.empty()
                                            ? RawJson{"null"}
                                            : RawJson{to_json(report.signed_by)})
                      .add("problems", report.problems)
                      .str());
    context.json_printed = true;
  } else if (report.ok()) {
    context.print(report.signed_by.empty() ? "every file is as the manifest says"
                                           : "every file is as signed by " + report.signed_by);
  }
  if (report.ok()) return {};
  const std::string all = enm::join(report.problems, "\n       ");
  return report.untrusted ? enm::Untrusted(all) : enm::Corrupt(all);
}

}  // namespace

void add_verify(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("verify", "Hold a model's files against its manifest");
  verb->add_option("model", options->model,
                   "Model folder, .onnx file, or id or hf:org/name in the cache")
      ->required();
  verb->add_flag("--check-signature", options->check_signature,
                 "The manifest must be signed by a trusted key");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
