#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/model_argument.h"
#include "cli/output/json_writer.h"
#include "enm/base/bytes.h"
#include "enm/pipeline/model_folder.h"

namespace cli {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

struct Options {
  std::string model;
  std::string text;
  std::string file;
  bool special = false;
};

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model, resolve_model(options.model, context));
  ENM_ASSIGN_OR_RETURN(const auto tokenizer,
                       enm::pipeline::load_tokenizer(model.files(), model.file));
  if (options.file.empty()) {
    const auto ids = tokenizer.encode(options.text, options.special);
    context.print(context.json ? JsonObject().add("ids", ids).str() : to_json(ids));
    return {};
  }
  // A line of ids for each line of text; with --json a list of lists.
  ENM_ASSIGN_OR_RETURN(const auto bytes, enm::read_file(options.file, kMaxFileBytes));
  std::vector<std::vector<int32_t>> all;
  auto lines = enm::split(enm::as_text(bytes), '\n');
  if (lines.back().empty()) lines.pop_back();
  for (std::string_view line : lines) {
    all.push_back(tokenizer.encode(line, options.special));
    if (!context.json) context.print(to_json(all.back()));
  }
  if (context.json) context.print(JsonObject().add("ids", all).str());
  return {};
}

}  // namespace

void add_tokenize(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("tokenize", "Show the token ids of a text");
  verb->add_option("model", options->model, "Model folder, id, or hf:org/name")->required();
  auto* text = verb->add_option("text", options->text, "The text");
  verb->add_option("--file", options->file, "A file with a text in each line")->excludes(text);
  verb->add_flag("--special", options->special, "With the special tokens that a model is given");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
