#include "cli/commands/commands.h"
#include "cli/commands/generate_options.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/stopwatch.h"
#include "enm/base/file_posix.h"
#include "enm/pipeline/requests.h"

namespace cli {
namespace {

struct Options {
  ModelOptions model;
  std::string prompt;
  std::string schema_file;
  std::string grammar_file;
  enm::pipeline::GenerateOptions generate;
};

constexpr size_t kMostGrammarBytes = size_t{1} << 20;

enm::Result<std::string> read_text(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(const auto bytes, enm::read_file(path, kMostGrammarBytes));
  return std::string(enm::as_text(bytes));
}

enm::Status read_files(const Options& options, enm::pipeline::GenerateOptions& generate) {
  if (!options.schema_file.empty()) {
    ENM_ASSIGN_OR_RETURN(const std::string text, read_text(options.schema_file));
    auto schema = enm::Json::parse(text);
    if (!schema.ok()) return schema.status().in(options.schema_file);
    generate.json_schema = *std::move(schema);
  }
  if (!options.grammar_file.empty()) {
    ENM_ASSIGN_OR_RETURN(generate.grammar, read_text(options.grammar_file));
  }
  return {};
}

enm::Status run(const Options& options, const Context& context) {
  enm::pipeline::GenerateOptions generate = options.generate;
  ENM_RETURN_IF_ERROR(read_files(options, generate));
  ENM_ASSIGN_OR_RETURN(const auto model, open_model(options.model, context));
  const Stopwatch stopwatch;
  double prompt_seconds = 0;
  const auto piece = [&](std::string_view text) {
    if (!context.json) context.stream(text);
    return !interrupted();
  };
  ENM_ASSIGN_OR_RETURN(const auto result, model->generate(options.prompt, generate, piece, [&] {
    prompt_seconds = stopwatch.seconds();
  }));
  const double prefill = tokens_per_second(result.prompt_tokens, prompt_seconds);
  const double decode = tokens_per_second(result.tokens, stopwatch.seconds() - prompt_seconds);
  const std::string_view finish = enm::pipeline::finish_name(result.finish);
  if (context.json) {
    JsonObject document;
    document.add("text", result.text)
        .add("tokens", result.tokens)
        .add("prompt_tokens", result.prompt_tokens)
        .add("finish_reason", finish)
        .add("prefill_tokens_per_second", prefill)
        .add("decode_tokens_per_second", decode)
        .add("peak_rss_bytes", peak_rss_bytes());
    if (generate.logprobs >= 0) {
      document.add("logprobs", RawJson{enm::pipeline::write_logprobs(result.logprobs)});
    }
    context.print(document.str());
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
  verb->add_option("--logprobs", options->generate.logprobs,
                   "With --json: each token's log-probability, and so many of the likeliest")
      ->check(CLI::Range(0, 20));
  verb->add_option("--json-schema", options->schema_file,
                   "File with a JSON schema: the text is a document that it allows");
  verb->add_option("--grammar", options->grammar_file,
                   "File with a grammar in GBNF: the text fits it");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
