#include "cli/commands/commands.h"
#include "cli/commands/model_options.h"
#include "cli/flags.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "enm/base/bytes.h"

namespace cli {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

struct Options {
  ModelOptions model;
  std::string file;
  int64_t window = 512;
  int64_t windows = 0;
};

enm::Status run(Options options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const auto text, enm::read_file(options.file, kMaxFileBytes));
  options.model.context = options.window;
  ENM_ASSIGN_OR_RETURN(const auto model, open_model(options.model, context));
  Progress progress = context.progress("scoring", 0, Unit::kItems);
  ENM_ASSIGN_OR_RETURN(
      const auto result,
      model->perplexity(
          enm::as_text(text), options.window, options.windows, [&](int64_t done, int64_t total) {
            progress.update(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
            return interrupted() ? enm::Cancelled("interrupted") : enm::Status();
          }));
  if (context.json) {
    context.print(JsonObject()
                      .add("perplexity", result.perplexity)
                      .add("tokens", result.tokens)
                      .add("windows", result.windows)
                      .str());
  } else {
    context.print(enm::cat("perplexity ", fixed(result.perplexity, 3), " over ", result.tokens,
                           " tokens in ", result.windows, " windows"));
  }
  return {};
}

}  // namespace

void add_eval(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("eval", "Measure a model's quality");
  add_model_options(verb, options->model);
  verb->add_option("--perplexity", options->file, "A text file to score")->required();
  verb->add_option("--context", options->window, "Tokens in a window")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  verb->add_option("--windows", options->windows, "Score only the first windows; 0 for all")
      ->check(not_negative());
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
