#include "cli/chat_files.h"

#include <CLI/CLI.hpp>

#include <ctime>

#include "enm/base/bytes.h"
#include "enm/base/file_posix.h"

namespace cli {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 26;

enm::Result<std::string> read_text(const std::string& file) {
  ENM_ASSIGN_OR_RETURN(const auto bytes, enm::read_file(file, kMaxBytes));
  return std::string(enm::as_text(bytes));
}

enm::Result<enm::Json> read_json(const std::string& file) {
  if (file.empty()) return enm::Json();
  ENM_ASSIGN_OR_RETURN(const std::string text, read_text(file));
  auto json = enm::Json::parse(text);
  if (!json.ok()) return json.status().in(file);
  return json;
}

}  // namespace

CLI::Option* add_chat_files(CLI::App* verb, ChatFiles& files) {
  CLI::Option* messages = verb->add_option("--messages", files.messages,
                                           "A file with a JSON list of messages: {role, content}");
  verb->add_option("--tools", files.tools,
                   "A file with a JSON list of functions that may be called");
  verb->add_option("--variables", files.variables,
                   "A file with a JSON object of what else the template asks for");
  verb->add_option("--chat-template", files.chat_template,
                   "A file with a Jinja template in place of the model's own");
  return messages;
}

enm::Result<std::string> read_chat_template(const std::string& file) {
  return file.empty() ? enm::Result<std::string>(std::string()) : read_text(file);
}

enm::Status name_the_flag(const enm::Status& status) {
  if (status.code() != enm::Code::kNotFound) return status;
  return enm::NotFound(status.message(), " with --chat-template FILE");
}

enm::Result<enm::text::Chat> read_chat(const ChatFiles& files) {
  enm::text::Chat chat;
  ENM_ASSIGN_OR_RETURN(chat.messages, read_json(files.messages));
  ENM_ASSIGN_OR_RETURN(chat.tools, read_json(files.tools));
  ENM_ASSIGN_OR_RETURN(chat.variables, read_json(files.variables));
  if (!chat.variables.is_null() && !chat.variables.is_object()) {
    return enm::InvalidArgument(files.variables, ": expected an object");
  }
  chat.local_time = local_time();
  return chat;
}

int64_t local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  ::localtime_r(&now, &local);
  return static_cast<int64_t>(now) + local.tm_gmtoff;
}

}  // namespace cli
