// chat: a talk on a terminal, or one answer to the messages of a file.
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cli/chat_files.h"
#include "cli/commands/commands.h"
#include "cli/commands/generate_options.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/stopwatch.h"
#include "enm/base/file_posix.h"

namespace cli {
namespace {

using enm::Json;
using enm::pipeline::Finish;
using enm::pipeline::GenerateResult;

struct Options {
  ModelOptions model;
  ChatFiles files;
  std::string system;
  enm::pipeline::GenerateOptions generate;
};

constexpr std::string_view kHelp =
    "/reset         forget the talk, keep the system prompt\n"
    "/system TEXT   forget the talk and set the system prompt; none without TEXT\n"
    "/save FILE     write the messages as JSON, for --messages\n"
    "/help          show this\n"
    "/exit          leave; so do Ctrl-D, and Ctrl-C where a message is asked for\n"
    "A line that ends with \\ goes on in the next one; so does all between two lines of \"\"\".\n"
    "Ctrl-C while the model writes stops the answer.";

Json message(std::string_view role, std::string_view content) {
  return Json(std::vector<Json::Member>{{"role", Json(std::string(role))},
                                        {"content", Json(std::string(content))}});
}

std::string to_text(const std::vector<Json>& messages) {
  std::vector<RawJson> rows;
  for (const Json& one : messages) {
    JsonObject row;
    for (const auto& [key, value] : one.members()) row.add(key, value.string());
    rows.push_back(row.raw());
  }
  return to_json(rows);
}

class Talk {
 public:
  Talk(const Options& options, OpenedModel& model, const Context& context)
      : options_(options), model_(model), context_(context) {}

  enm::Status run() {
    ENM_ASSIGN_OR_RETURN(chat_, read_chat(options_.files));
    set_system(options_.system);
    asks_ = ::isatty(STDIN_FILENO) == 1;
    if (asks_) context_.say("/help says what can be typed here.");
    std::string text;
    while (read_message(text)) {
      if (text.empty()) continue;
      if (text.starts_with('/')) {
        if (!obey(text)) break;
      } else {
        ENM_RETURN_IF_ERROR(answer(text));
      }
    }
    if (asks_) context_.say("");
    return {};
  }

 private:
  void set_system(std::string_view text) {
    messages_.clear();
    if (!text.empty()) messages_.push_back(message("system", text));
    system_ = text;
  }

  // One line without its end; false at the end of the input or on Ctrl-C.
  bool read_line(std::string& line, std::string_view prompt) {
    if (asks_ && !context_.quiet) {
      std::fwrite(prompt.data(), 1, prompt.size(), stderr);
      std::fflush(stderr);
    }
    line.clear();
    for (int c; (c = std::getc(stdin)) != '\n'; line += static_cast<char>(c)) {
      if (c != EOF) continue;
      if (interrupted()) forget_interrupt();
      return !line.empty() && std::ferror(stdin) == 0;
    }
    return true;
  }

  bool read_message(std::string& out) {
    constexpr std::string_view kFence = "\"\"\"";
    std::string line;
    if (!read_line(line, "> ")) return false;
    out = line;
    if (line == kFence) {
      out.clear();
      while (read_line(line, ". ") && line != kFence) out += (out.empty() ? "" : "\n") + line;
      return true;
    }
    while (out.ends_with('\\') && read_line(line, ". ")) {
      out.back() = '\n';
      out += line;
    }
    return true;
  }

  // A line that begins with /; false for the one that leaves.
  bool obey(const std::string& line) {
    const size_t space = std::min(line.find(' '), line.size());
    const std::string verb = line.substr(0, space);
    const std::string rest = line.substr(std::min(space + 1, line.size()));
    if (verb == "/exit" || verb == "/quit") return false;
    if (verb == "/reset") {
      set_system(std::string(system_));
    } else if (verb == "/system") {
      set_system(rest);
    } else if (verb == "/save" && !rest.empty()) {
      const enm::Status saved =
          enm::write_file_atomically(rest, enm::as_bytes(to_text(messages_) + "\n"));
      context_.say(saved.ok() ? "saved " + rest : std::string(saved.message()));
    } else {
      context_.say(kHelp);
    }
    return true;
  }

  enm::Status answer(const std::string& text) {
    messages_.push_back(message("user", text));
    chat_.messages = Json(messages_);
    chat_.local_time = local_time();
    const Stopwatch stopwatch;
    double prompt_seconds = 0;
    const auto piece = [&](std::string_view part) {
      context_.stream(part);
      return !interrupted();
    };
    const auto result = model_->generate(chat_, options_.generate, piece,
                                         [&] { prompt_seconds = stopwatch.seconds(); });
    forget_interrupt();
    if (!result.ok()) return refused(result.status());
    context_.print("");
    messages_.push_back(message("assistant", result->text));
    const double speed = tokens_per_second(result->tokens, stopwatch.seconds() - prompt_seconds);
    context_.say(enm::cat("(", result->tokens, " tokens at ", fixed(speed, 1), " tokens/s, ",
                          result->cached_tokens, " of ", result->prompt_tokens, " read before, ",
                          enm::pipeline::finish_name(result->finish), ")"));
    return {};
  }

  // A talk that fills the context or that the template refuses can go on otherwise.
  enm::Status refused(const enm::Status& status) {
    const enm::Code code = status.code();
    const bool goes_on =
        code == enm::Code::kResourceExhausted || code == enm::Code::kInvalidArgument;
    if (!asks_ || !goes_on) return status;
    messages_.pop_back();
    context_.say(enm::cat(status.message(), "; the message was taken back, /reset begins anew"));
    return {};
  }

  const Options& options_;
  OpenedModel& model_;
  const Context& context_;
  enm::text::Chat chat_;
  std::vector<Json> messages_;
  std::string system_;
  bool asks_ = false;
};

enm::Status answer_once(const Options& options, OpenedModel& model, const Context& context) {
  ENM_ASSIGN_OR_RETURN(enm::text::Chat chat, read_chat(options.files));
  if (!options.system.empty() && chat.messages.is_array()) {
    std::vector<Json> messages = chat.messages.items();
    messages.insert(messages.begin(), message("system", options.system));
    chat.messages = Json(std::move(messages));
  }
  const Stopwatch stopwatch;
  double prompt_seconds = 0;
  const auto piece = [&](std::string_view text) {
    if (!context.json) context.stream(text);
    return !interrupted();
  };
  ENM_ASSIGN_OR_RETURN(const GenerateResult result,
                       model->generate(chat, options.generate, piece,
                                       [&] { prompt_seconds = stopwatch.seconds(); }));
  const double decode = tokens_per_second(result.tokens, stopwatch.seconds() - prompt_seconds);
  if (context.json) {
    context.print(JsonObject()
                      .add("text", result.text)
                      .add("tokens", result.tokens)
                      .add("prompt_tokens", result.prompt_tokens)
                      .add("finish_reason", enm::pipeline::finish_name(result.finish))
                      .add("prefill_tokens_per_second",
                           tokens_per_second(result.prompt_tokens, prompt_seconds))
                      .add("decode_tokens_per_second", decode)
                      .add("peak_rss_bytes", peak_rss_bytes())
                      .str());
  } else {
    context.print("");
  }
  return result.finish == Finish::kCancelled ? enm::Cancelled("interrupted") : enm::Status();
}

enm::Status run(const Options& options, const Context& context) {
  const bool once = !options.files.messages.empty();
  if (context.json && !once)
    return enm::InvalidArgument("--json answers once: it wants --messages");
  ENM_ASSIGN_OR_RETURN(OpenedModel model, open_model(options.model, context));
  ENM_RETURN_IF_ERROR(name_the_flag(model.model->chat_template().status()));
  return once ? answer_once(options, model, context) : Talk(options, model, context).run();
}

}  // namespace

void add_chat(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  options->generate.max_tokens = 1024;
  CLI::App* verb = app.add_subcommand("chat", "Talk with a model");
  add_model_options(verb, options->model);
  add_chat_files(verb, options->files);
  verb->add_option("--system", options->system, "How the model shall be: the first message");
  add_generate_options(verb, options->generate, options->model);
  verb->callback([&context, options] {
    options->model.chat_template = options->files.chat_template;
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
