#include "enm/text/chat_template.h"

#include <algorithm>

namespace enm::text {
namespace {

Result<Json> read_json(const FileSource& files, const char* name) {
  if (!files.contains(name)) return Json();
  ENM_ASSIGN_OR_RETURN(const Blob bytes, files.open(name));
  auto json = Json::parse(as_text(bytes.bytes()));
  if (!json.ok()) return json.status().in(name);
  return json;
}

void set(std::vector<Json::Member>& members, std::string_view key, Json value) {
  for (auto& [name, old] : members) {
    if (name == key) return void(old = std::move(value));
  }
  members.emplace_back(std::string(key), std::move(value));
}

// A message as templates get it: without members that are null, and with a reasoning under each of
// the names that templates know.
Json normalized(const Json& message) {
  std::vector<Json::Member> members;
  const Json* reasoning = nullptr;
  for (const char* name : {"reasoning_content", "thinking", "reasoning"}) {
    const Json* found = message.find(name);
    if (reasoning == nullptr && found != nullptr && !found->is_null()) reasoning = found;
  }
  if (reasoning != nullptr) members.emplace_back("thinking", *reasoning);
  for (const auto& [key, value] : message.members()) {
    if (!value.is_null()) set(members, key, value);
  }
  if (reasoning != nullptr) set(members, "reasoning_content", *reasoning);
  return Json(std::move(members));
}

Status check_objects(const Json& list, std::string_view what) {
  if (!list.is_array()) {
    return InvalidArgument(what, ": expected a list, got ", json_type_name(list.type()));
  }
  for (const Json& item : list.items()) {
    if (item.is_object()) continue;
    return InvalidArgument(what, ": expected objects, got ", json_type_name(item.type()));
  }
  return {};
}

}  // namespace

Result<ChatTemplate> ChatTemplate::load(const FileSource& files, std::string_view source) {
  ChatTemplate out;
  ENM_ASSIGN_OR_RETURN(const Json tokens, read_json(files, "special_tokens_map.json"));
  ENM_ASSIGN_OR_RETURN(const Json config, read_json(files, "tokenizer_config.json"));
  ENM_RETURN_IF_ERROR(out.read_special_tokens(tokens));
  ENM_RETURN_IF_ERROR(out.read_special_tokens(config));
  if (!source.empty()) {
    ENM_RETURN_IF_ERROR(out.read_templates(Json(std::string(source))).in("chat template"));
    return out;
  }
  // The later ones stand above the earlier ones.
  if (const Json* found = config.find("chat_template")) {
    ENM_RETURN_IF_ERROR(out.read_templates(*found).in("tokenizer_config.json"));
  }
  ENM_ASSIGN_OR_RETURN(const Json legacy, read_json(files, "chat_template.json"));
  if (const Json* found = legacy.find("chat_template")) {
    ENM_RETURN_IF_ERROR(out.read_templates(*found).in("chat_template.json"));
  }
  constexpr const char* kFile = "chat_template.jinja";
  if (files.contains(kFile)) {
    ENM_ASSIGN_OR_RETURN(const Blob bytes, files.open(kFile));
    const Json text(std::string(as_text(bytes.bytes())));
    ENM_RETURN_IF_ERROR(out.read_templates(text).in(kFile));
  }
  if (!out.template_ && !out.with_tools_) {
    return NotFound("this model has no chat template: looked for chat_template.jinja, ",
                    "chat_template.json and tokenizer_config.json; give one of your own");
  }
  return out;
}

Status ChatTemplate::read_special_tokens(const Json& config) {
  for (const auto& [key, value] : config.members()) {
    const Json* content = value.is_object() ? value.find("content") : &value;
    if (key == "additional_special_tokens" && value.is_array()) {
      set(special_tokens_, key, value);
    } else if (key.ends_with("_token") && content != nullptr && content->is_string()) {
      set(special_tokens_, key, *content);
    }
  }
  return {};
}

Status ChatTemplate::read_templates(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_string()) {
    ENM_ASSIGN_OR_RETURN(template_, jinja::Template::parse(json.string()));
    return {};
  }
  ENM_RETURN_IF_ERROR(check_objects(json, "chat_template"));
  for (const Json& item : json.items()) {
    ENM_ASSIGN_OR_RETURN(const std::string name, item.get_string("name"));
    ENM_ASSIGN_OR_RETURN(const std::string text, item.get_string("template"));
    if (name != "default" && name != "tool_use") continue;
    auto parsed = jinja::Template::parse(text);
    if (!parsed.ok()) return parsed.status().in(name);
    (name == "default" ? template_ : with_tools_) = *std::move(parsed);
  }
  return {};
}

Result<std::string> ChatTemplate::render(const Chat& chat) const {
  ENM_RETURN_IF_ERROR(check_objects(chat.messages, "messages"));
  if (!chat.tools.is_null()) ENM_RETURN_IF_ERROR(check_objects(chat.tools, "tools"));
  if (!chat.documents.is_null()) ENM_RETURN_IF_ERROR(check_objects(chat.documents, "documents"));
  std::vector<Json> messages;
  for (const Json& message : chat.messages.items()) messages.push_back(normalized(message));
  std::vector<Json::Member> variables = special_tokens_;
  for (const auto& [name, value] : chat.variables.members()) set(variables, name, value);
  set(variables, "messages", Json(std::move(messages)));
  set(variables, "tools", chat.tools);
  set(variables, "documents", chat.documents);
  set(variables, "add_generation_prompt", Json(chat.add_generation_prompt));
  const bool for_tools = with_tools_ && (!template_ || !chat.tools.is_null());
  const auto now = chat.local_time == Chat::kNoTime ? std::nullopt : std::optional(chat.local_time);
  auto text = (for_tools ? *with_tools_ : *template_).render(Json(std::move(variables)), now);
  if (!text.ok()) return text.status().in("chat template");
  return text;
}

std::string ChatTemplate::after_answer() const {
  constexpr std::string_view kAnswer = "An answer, 7301.";
  const auto message = [](const char* role, std::string_view content) {
    return Json(std::vector<Json::Member>{{"role", Json(std::string(role))},
                                          {"content", Json(std::string(content))}});
  };
  Chat chat;
  chat.messages = Json(std::vector<Json>{message("user", "?"), message("assistant", kAnswer)});
  chat.add_generation_prompt = false;
  const auto text = render(chat);
  const size_t found = text.ok() ? text->rfind(kAnswer) : std::string::npos;
  return found == std::string::npos ? std::string() : text->substr(found + kAnswer.size());
}

const std::string& ChatTemplate::special_token(std::string_view name) const {
  static const std::string kNone;
  for (const auto& [key, value] : special_tokens_) {
    if (key == name) return value.string();
  }
  return kNone;
}

}  // namespace enm::text
