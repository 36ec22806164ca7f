// A chat as files: messages, tools, a template.
#pragma once

#include <string>

#include "enm/text/chat_template.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cli {

struct ChatFiles {
  std::string messages;       // a JSON list of {role, content}
  std::string tools;          // a JSON list of schemas; empty for none
  std::string variables;      // a JSON object; empty for none
  std::string chat_template;  // Jinja; empty for the model's own
};

/// --messages, --tools, --variables, --chat-template; returns the first.
CLI::Option* add_chat_files(CLI::App* verb, ChatFiles& files);

/// The file's text; nothing for an empty name.
enm::Result<std::string> read_chat_template(const std::string& file);

/// Names --chat-template where a model has no template.
enm::Status name_the_flag(const enm::Status& status);

/// The chat that the files hold, at this moment's local time; no messages if no file is named.
enm::Result<enm::text::Chat> read_chat(const ChatFiles& files);

/// Seconds since 1970 as if local time were UTC.
int64_t local_time();

}  // namespace cli
