#include "cli/commands/commands.h"
#include "cli/output/format.h"
#include "cli/writing.h"

namespace cli {
namespace {

struct Options {
  ModelOptions model;
  std::string prompt;
  WritingOptions writing;
};

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const auto generate, read_options(options.writing));
  ENM_ASSIGN_OR_RETURN(const auto model, open_model(options.model, context));
  ENM_ASSIGN_OR_RETURN(const Written written,
                       write_text(context, [&](const auto& piece, const auto& prompt_done) {
                         return model->generate(options.prompt, generate, piece, prompt_done);
                       }));
  if (context.json) {
    print_document(written, generate.logprobs >= 0, context);
  } else {
    context.say(enm::cat(written.tokens, " tokens at ", fixed(written.decode, 1), " tokens/s (",
                         enm::pipeline::finish_name(written.finish), ")"));
  }
  return ending(written);
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("run", "Continue a text");
  add_model_options(verb, options->model);
  verb->add_option("prompt", options->prompt, "How the text begins");
  add_writing_options(verb, options->writing, options->model);
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
