#include <fstream>

#include "cli/commands/commands.h"
#include "cli/commands/model_options.h"
#include "cli/flags.h"
#include "cli/output/json_writer.h"

namespace cli {
namespace {

struct Options {
  ModelOptions model;
  enm::pipeline::EmbedOptions embed;
  std::vector<std::string> texts;
  std::string file;
};

// Lines of a file, a few at a time.
class LineReader {
 public:
  static enm::Result<LineReader> open(const std::string& path) {
    LineReader reader(path);
    if (!reader.file_) return enm::NotFound("cannot read ", path);
    return reader;
  }

  /// False at the end. kResourceExhausted for a line that no model could want.
  enm::Result<bool> next(std::string& line) {
    constexpr size_t kMostBytes = size_t{16} << 20;
    line.clear();
    ++number_;
    for (int c; (c = file_.get()) != std::char_traits<char>::eof();) {
      if (c == '\n') return true;
      if (line.size() == kMostBytes) {
        return enm::ResourceExhausted(where(), ": longer than ", kMostBytes, " bytes");
      }
      line.push_back(static_cast<char>(c));
    }
    return !line.empty();
  }
  std::string where() const { return enm::cat(path_, ": line ", number_); }

 private:
  explicit LineReader(const std::string& path) : path_(path), file_(path, std::ios::binary) {}

  std::string path_;
  std::ifstream file_;
  int64_t number_ = 0;
};

// What a line of a .jsonl file asks: {"text": ...}, and an "id" to find its vector by.
struct Item {
  std::string text;
  std::string id;  // as JSON; empty: none
};

enm::Result<Item> parse_item(const std::string& line) {
  ENM_ASSIGN_OR_RETURN(const enm::Json json, enm::Json::parse(line));
  Item item;
  ENM_ASSIGN_OR_RETURN(item.text, json.get_string("text"));
  const enm::Json* id = json.find("id");
  if (id == nullptr || id->is_null()) return item;
  if (id->is_string()) {
    item.id = enm::json_quote(id->string());
  } else if (id->is_int()) {
    item.id = enm::cat(id->integer());
  } else {
    return enm::InvalidArgument("id is neither a string nor an integer");
  }
  return item;
}

enm::Status print_items(OpenedModel& model, const Options& options, const std::vector<Item>& items,
                        const Context& context) {
  std::vector<std::string> texts;
  for (const Item& item : items) texts.push_back(item.text);
  ENM_ASSIGN_OR_RETURN(const auto vectors, model->embed(texts, options.embed));
  for (size_t i = 0; i < items.size(); ++i) {
    JsonObject line;
    if (!items[i].id.empty()) line.add("id", RawJson{items[i].id});
    context.print(line.add("embedding", vectors[i]).str());
  }
  return {};
}

// A line out for every line in, in order; as many in memory as make batches of like length.
enm::Status stream_jsonl(const Options& options, const Context& context) {
  constexpr size_t kAtOnce = 256;
  constexpr size_t kBytesAtOnce = size_t{4} << 20;
  ENM_ASSIGN_OR_RETURN(LineReader lines, LineReader::open(options.file));
  ENM_ASSIGN_OR_RETURN(OpenedModel model, open_model(options.model, context));
  std::vector<Item> items;
  size_t bytes = 0;
  std::string line;
  for (;;) {
    ENM_ASSIGN_OR_RETURN(const bool more, lines.next(line));
    const bool is_full = items.size() == kAtOnce || bytes > kBytesAtOnce;
    if (!items.empty() && (!more || is_full)) {
      ENM_RETURN_IF_ERROR(print_items(model, options, items, context));
      items.clear();
      bytes = 0;
    }
    if (!more) return {};
    if (interrupted()) return enm::Cancelled("interrupted");
    if (line.empty()) continue;
    auto item = parse_item(line);
    if (!item.ok()) return item.status().in(lines.where());
    bytes += item->text.size();
    items.push_back(*std::move(item));
  }
}

enm::Result<std::vector<std::string>> read_lines(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(LineReader reader, LineReader::open(path));
  std::vector<std::string> lines;
  for (std::string line;;) {
    ENM_ASSIGN_OR_RETURN(const bool more, reader.next(line));
    if (!more) return lines;
    lines.push_back(line);
  }
}

enm::Status run(const Options& options, const Context& context) {
  if (options.file.ends_with(".jsonl")) return stream_jsonl(options, context);
  std::vector<std::string> texts = options.texts;
  if (!options.file.empty()) {
    ENM_ASSIGN_OR_RETURN(texts, read_lines(options.file));
  }
  if (texts.empty()) return enm::InvalidArgument("nothing to embed; give texts or --file");
  ENM_ASSIGN_OR_RETURN(const auto model, open_model(options.model, context));
  ENM_ASSIGN_OR_RETURN(const auto vectors, model->embed(texts, options.embed));
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
  verb->add_option(
          "--file", options->file,
          "A file with a text in each line; .jsonl: {\"text\"} or {\"id\", \"text\"} a line")
      ->excludes(texts);
  verb->add_option("--prompt", options->embed.prompt,
                   "What kind of texts: query, passage, or another that the model names");
  verb->add_option("--dimensions", options->embed.dimensions,
                   "The first so many of each vector; 0 for all")
      ->check(not_negative());
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
