#include "cli/commands/commands.h"
#include "cli/commands/generate_options.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/stopwatch.h"

namespace cli {
namespace {

struct Options {
  ModelOptions model;
  std::string prompt;
  enm::pipeline::GenerateOptions generate;
};

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const auto model, open_model(options.model, context));
  const Stopwatch stopwatch;
  double prompt_seconds = 0;
  const auto piece = [&](std::string_view text) {
    if (!context.json) context.stream(text);
    return !interrupted();
  };
  ENM_ASSIGN_OR_RETURN(const auto result,
                       model->generate(options.prompt, options.generate, piece,
                                       [&] { prompt_seconds = stopwatch.seconds(); }));
  const double prefill = tokens_per_second(result.prompt_tokens, prompt_seconds);
  const double decode = tokens_per_second(result.tokens, stopwatch.seconds() - prompt_seconds);
  const std::string_view finish = enm::pipeline::finish_name(result.finish);
  if (context.json) {
    context.print(JsonObject()
                      .add("text", result.text)
                      .add("tokens", result.tokens)
                      .add("prompt_tokens", result.prompt_tokens)
                      .add("finish_reason", finish)
                      .add("prefill_tokens_per_second", prefill)
                      .add("decode_tokens_per_second", decode)
                      .add("peak_rss_bytes", peak_rss_bytes())
                      .str());
  } else {
    context.print("");
    context.say(
        enm::cat(result.tokens, " tokens at ", fixed(decode, 1), " tokens/s (", finish, ")"));
  }
  return result.finish == enm::pipeline::Finish::kCancelled ? enm::Cancelled("interrupted")
                                                            : enm::Status();
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("run", "Continue a text");
  add_model_options(verb, options->model);
  verb->add_option("prompt", options->prompt, "How the text begins");
  add_generate_options(verb, options->generate, options->model);
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
