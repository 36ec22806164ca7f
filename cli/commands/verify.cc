#include "enm/distribution/verify.h"

#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/model_argument.h"
#include "cli/output/json_writer.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

struct Options {
  std::string model;
  bool check_signature = false;
};

enm::Status run(const Options& options, Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model, find_model(options.model));
  ENM_ASSIGN_OR_RETURN(const dist::TrustStore trust,
                       dist::TrustStore::open(trusted_folder(context)));
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
  verb->add_option("model", options->model, "Model folder, or .onnx file")->required();
  verb->add_flag("--check-signature", options->check_signature,
                 "The manifest must be signed by a trusted key");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
