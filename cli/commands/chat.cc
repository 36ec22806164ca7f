// chat: a talk on a terminal, or one answer to the messages of a file.
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cli/chat_files.h"
#include "cli/commands/commands.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/writing.h"
#include "enm/base/file_posix.h"

namespace cli {
namespace {

using enm::Json;
using enm::pipeline::GenerateOptions;

struct Options {
  ModelOptions model;
  ChatFiles files;
  std::string system;
  WritingOptions writing;
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
  Talk(const Options& options, OpenedModel& model, const GenerateOptions& generate,
       const Context& context)
      : options_(options), model_(model), generate_(generate), context_(context) {}

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
    const auto written = write_text(context_, [&](const auto& piece, const auto& prompt_done) {
      return model_->generate(chat_, generate_, piece, prompt_done);
    });
    forget_interrupt();
    if (!written.ok()) return refused(written.status());
    messages_.push_back(message("assistant", written->text));
    context_.say(enm::cat("(", written->tokens, " tokens at ", fixed(written->decode, 1),
                          " tokens/s, ", written->cached_tokens, " of ", written->prompt_tokens,
                          " read before, ", enm::pipeline::finish_name(written->finish), ")"));
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
  const GenerateOptions& generate_;
  const Context& context_;
  enm::text::Chat chat_;
  std::vector<Json> messages_;
  std::string system_;
  bool asks_ = false;
};

enm::Status answer_once(const Options& options, OpenedModel& model, const GenerateOptions& generate,
                        const Context& context) {
  ENM_ASSIGN_OR_RETURN(enm::text::Chat chat, read_chat(options.files));
  if (!options.system.empty() && chat.messages.is_array()) {
    std::vector<Json> messages = chat.messages.items();
    messages.insert(messages.begin(), message("system", options.system));
    chat.messages = Json(std::move(messages));
  }
  ENM_ASSIGN_OR_RETURN(const Written written,
                       write_text(context, [&](const auto& piece, const auto& prompt_done) {
                         return model->generate(chat, generate, piece, prompt_done);
                       }));
  if (context.json) print_document(written, generate.logprobs >= 0, context);
  return ending(written);
}

enm::Status run(const Options& options, const Context& context) {
  const bool once = !options.files.messages.empty();
  if (context.json && !once)
    return enm::InvalidArgument("--json answers once: it wants --messages");
  ENM_ASSIGN_OR_RETURN(const GenerateOptions generate, read_options(options.writing));
  ENM_ASSIGN_OR_RETURN(OpenedModel model, open_model(options.model, context));
  ENM_RETURN_IF_ERROR(name_the_flag(model.model->chat_template().status()));
  return once ? answer_once(options, model, generate, context)
              : Talk(options, model, generate, context).run();
}

}  // namespace

void add_chat(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  options->writing.generate.max_tokens = 1024;
  CLI::App* verb = app.add_subcommand("chat", "Talk with a model");
  add_model_options(verb, options->model);
  add_chat_files(verb, options->files);
  verb->add_option("--system", options->system, "How the model shall be: the first message");
  add_writing_options(verb, options->writing, options->model);
  verb->callback([&context, options] {
    options->model.chat_template = options->files.chat_template;
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
