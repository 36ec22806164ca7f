#include <CLI/CLI.hpp>

#include "cli/chat_files.h"
#include "cli/commands/commands.h"
#include "cli/model_argument.h"
#include "cli/output/json_writer.h"
#include "enm/base/bytes.h"
#include "enm/base/json.h"
#include "enm/pipeline/model_folder.h"

namespace cli {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;

struct Options {
  std::string model;
  std::string text;
  std::string file;
  std::string pair;
  bool special = false;
  bool truncate = false;
  bool pad = false;
  bool decode = false;
  ChatFiles chat;
  bool add_generation_prompt = false;
};

using enm::text::Encoding;

// [begin, end] of each token, in code points of the text.
std::string offsets_json(const std::vector<Encoding::Offset>& offsets) {
  std::string out = "[";
  for (const auto& [begin, end] : offsets) {
    out += enm::cat(out.size() > 1 ? "," : "", "[", begin, ",", end, "]");
  }
  return out + "]";
}

// What is shown of texts, a list each; of a single text its parts themselves.
struct Columns {
  std::vector<std::vector<int32_t>> ids;
  std::vector<RawJson> offsets;
  std::vector<std::vector<int32_t>> type_ids;
  std::vector<std::string> decoded;
};

template <typename Show>
std::string show(const Columns& columns, const Options& options, Show value) {
  JsonObject out;
  out.add("ids", value(columns.ids)).add("offsets", value(columns.offsets));
  if (!options.pair.empty()) out.add("type_ids", value(columns.type_ids));
  if (options.decode) out.add("text", value(columns.decoded));
  return out.str();
}

// The texts of a file's lines; in a .jsonl file each is a JSON string.
enm::Result<std::vector<std::string>> read_lines(const std::string& file) {
  ENM_ASSIGN_OR_RETURN(const auto bytes, enm::read_file(file, kMaxFileBytes));
  auto lines = enm::split(enm::as_text(bytes), '\n');
  if (lines.back().empty()) lines.pop_back();
  std::vector<std::string> out(lines.begin(), lines.end());
  if (!file.ends_with(".jsonl")) return out;
  for (std::string& line : out) {
    auto text = enm::Json::parse(line);
    if (!text.ok()) return text.status().in(file);
    if (!text->is_string()) return enm::Corrupt(file, ": a line is no JSON string");
    line = text->string();
  }
  return out;
}

enm::Status tokenize_chat(const Options& options, const enm::FileSource& files,
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
  ENM_ASSIGN_OR_RETURN(const auto tokenizer,
                       enm::pipeline::load_tokenizer(model.files(), model.file));
  if (!options.chat.messages.empty()) {
    return tokenize_chat(options, model.files(), tokenizer, context);
  }
  std::vector<std::string> texts = {options.text};
  if (!options.file.empty()) {
    ENM_ASSIGN_OR_RETURN(texts, read_lines(options.file));
  }
  const std::string_view pair = options.pair;
  Columns columns;
  for (const std::string& text : texts) {
    ENM_ASSIGN_OR_RETURN(const Encoding encoding,
                         tokenizer.encode(text, pair.empty() ? nullptr : &pair,
                                          {options.special, options.truncate, options.pad}));
    if (!context.json) {
      context.print(to_json(encoding.ids));
      continue;
    }
    columns.ids.push_back(encoding.ids);
    columns.offsets.push_back({offsets_json(encoding.offsets)});
    columns.type_ids.push_back(encoding.type_ids);
    if (options.decode) columns.decoded.push_back(tokenizer.decode(encoding.ids));
  }
  if (!context.json) return {};
  const auto all = [](const auto& column) { return column; };
  const auto first = [](const auto& column) { return column[0]; };
  context.print(options.file.empty() ? show(columns, options, first) : show(columns, options, all));
  return {};
}

}  // namespace

void add_tokenize(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("tokenize", "Show the token ids of a text");
  verb->add_option("model", options->model, "Model folder, id, or hf:org/name")->required();
  auto* text = verb->add_option("text", options->text, "The text");
  auto* file = verb->add_option("--file", options->file,
                                "A file with a text in each line; a .jsonl file has JSON strings")
                   ->excludes(text);
  auto* messages = add_chat_files(verb, options->chat)->excludes(text)->excludes(file);
  verb->add_flag("--add-generation-prompt", options->add_generation_prompt,
                 "End with the beginning of an answer")
      ->needs(messages);
  verb->add_option("--pair", options->pair, "A second text, as the tokenizer joins two");
  verb->add_flag("--special", options->special, "With the special tokens that a model is given");
  verb->add_flag("--truncate", options->truncate, "As long as the tokenizer's file says at most");
  verb->add_flag("--pad", options->pad, "Padded as the tokenizer's file says");
  verb->add_flag("--decode", options->decode, "With --json: also the text that the ids stand for");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
