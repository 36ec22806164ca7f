// A model's chat template with its special tokens: messages to the text that the model reads, byte
// for byte as transformers' apply_chat_template renders them.
#pragma once

#include <optional>
#include <string>

#include "enm/base/file.h"
#include "enm/text/jinja/template.h"

namespace enm::text {

struct Chat {
  Json messages;   // a list of objects
  Json tools;      // a list of JSON schemas, or null
  Json documents;  // a list of objects, or null
  Json variables;  // an object with whatever else the template asks for, or null
  bool add_generation_prompt = true;
  /// Seconds since 1970 as if local time were UTC; without it templates know no strftime_now.
  static constexpr int64_t kNoTime = INT64_MIN;
  int64_t local_time = kNoTime;
};

class ChatTemplate {
 public:
  /// A folder's: chat_template.jinja, chat_template.json or tokenizer_config.json; `source`, if it
  /// is not empty, stands in their place. kNotFound if there is none.
  static Result<ChatTemplate> load(const FileSource& files, std::string_view source = {});

  /// kInvalidArgument if the messages are no chat or the template refuses them.
  Result<std::string> render(const Chat& chat) const;

  /// What the template puts behind an assistant's answer, "<|im_end|>\n" say; empty if that cannot
  /// be told.
  std::string after_answer() const;

  /// The content of a special token, "eos_token" say; empty if there is none.
  const std::string& special_token(std::string_view name) const;

 private:
  Status read_special_tokens(const Json& config);
  Status read_templates(const Json& json);

  std::vector<Json::Member> special_tokens_;
  std::optional<jinja::Template> template_;
  std::optional<jinja::Template> with_tools_;  // where the folder has one of its own for them
};

}  // namespace enm::text
