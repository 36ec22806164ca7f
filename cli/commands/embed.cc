#include "cli/commands/commands.h"
#include "cli/commands/model_options.h"
#include "cli/output/json_writer.h"
#include "enm/base/bytes.h"

namespace cli {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

struct Options {
  ModelOptions model;
  std::vector<std::string> texts;
  std::string file;
};

enm::Result<std::vector<std::string>> read_lines(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(const auto bytes, enm::read_file(path, kMaxFileBytes));
  std::vector<std::string> lines;
  for (std::string_view line : enm::split(enm::as_text(bytes), '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

enm::Status run(const Options& options, const Context& context) {
  std::vector<std::string> texts = options.texts;
  if (!options.file.empty()) {
    ENM_ASSIGN_OR_RETURN(texts, read_lines(options.file));
  }
  if (texts.empty()) return enm::InvalidArgument("nothing to embed; give texts or --file");
  ENM_ASSIGN_OR_RETURN(const auto model, open_model(options.model, context));
  ENM_ASSIGN_OR_RETURN(const auto vectors, model->embed(texts));
  if (context.json) {
    context.print(JsonObject().add("embeddings", vectors).str());
    return {};
  }
  for (const auto& vector : vectors) context.print(to_json(vector));
  return {};
}

}  // namespace

void add_embed(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("embed", "Turn texts into vectors");
  add_model_options(verb, options->model);
  auto* texts = verb->add_option("text", options->texts, "Texts; one vector each");
  verb->add_option("--file", options->file, "A file with a text in each line")->excludes(texts);
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
