#include <CLI/CLI.hpp>

#include "cli/chat_files.h"
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
  ChatFiles chat;
  bool add_generation_prompt = false;
};

enm::Status tokenize_chat(const Options& options, const enm::DirectoryFiles& files,
                          const enm::text::Tokenizer& tokenizer, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const std::string source, read_chat_template(options.chat.chat_template));
  const auto chat_template = enm::text::ChatTemplate::load(files, source);
  if (!chat_template.ok()) return name_the_flag(chat_template.status());
  ENM_ASSIGN_OR_RETURN(enm::text::Chat chat, read_chat(options.chat));
  chat.add_generation_prompt = options.add_generation_prompt;
  ENM_ASSIGN_OR_RETURN(const std::string text, chat_template->render(chat));
  const auto ids = tokenizer.encode(text, false);  // the template writes the special tokens
  if (context.json) {
    context.print(JsonObject().add("text", text).add("ids", ids).str());
  } else {
    context.print(to_json(ids));
  }
  return {};
}

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model, resolve_model(options.model, context));
  ENM_ASSIGN_OR_RETURN(const auto tokenizer, enm::pipeline::load_tokenizer(model.files()));
  if (!options.chat.messages.empty()) {
    return tokenize_chat(options, model.files(), tokenizer, context);
  }
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
  verb->add_option("model", options->model, "Model folder")->required();
  auto* text = verb->add_option("text", options->text, "The text");
  auto* file =
      verb->add_option("--file", options->file, "A file with a text in each line")->excludes(text);
  auto* messages = add_chat_files(verb, options->chat)->excludes(text)->excludes(file);
  verb->add_flag("--add-generation-prompt", options->add_generation_prompt,
                 "End with the beginning of an answer")
      ->needs(messages);
  verb->add_flag("--special", options->special, "With the special tokens that a model is given");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
