#include "enm/pipeline/requests.h"

#include <algorithm>
#include <limits>

#include "enm/text/unicode.h"

namespace enm::pipeline {

std::string_view Field::type_name() const {
  switch (type_) {
    case Type::kInt32:
    case Type::kInt64:
    case Type::kUint64:
      return "integer";
    case Type::kFloat:
      return "number";
    case Type::kStrings:
    case Type::kList:
    case Type::kLogprobs:
      return "array";
    case Type::kObject:
      return "object";
    case Type::kBool:
      return "boolean";
    case Type::kString:
    case Type::kFinish:
      break;
  }
  return "string";
}

Status Field::read(const Json& value) const {
  if (type_ == Type::kStrings && value.is_array()) return read_strings(value);
  if ((type_ == Type::kList && value.is_array()) || (type_ == Type::kObject && value.is_object())) {
    *static_cast<Json*>(at_) = value;
    return {};
  }
  if (type_ == Type::kBool && value.is_bool()) {
    *static_cast<bool*>(at_) = value.boolean();
    return {};
  }
  if (type_ == Type::kString && value.is_string()) {
    *static_cast<std::string*>(at_) = value.string();
    return {};
  }
  if (type_ == Type::kFloat && value.is_number()) {
    *static_cast<float*>(at_) = static_cast<float>(value.number());
    return {};
  }
  if (type_name() == "integer" && value.is_int()) return read_integer(value.integer());
  return InvalidArgument(name_, ": expected ", type_name(), ", got ", json_type_name(value.type()));
}

Status Field::read_integer(int64_t value) const {
  using Limits = std::numeric_limits<int32_t>;
  const bool fits = type_ == Type::kInt32    ? value >= Limits::min() && value <= Limits::max()
                    : type_ == Type::kUint64 ? value >= 0
                                             : true;
  if (!fits) return InvalidArgument(name_, ": ", value, " is out of range");
  if (type_ == Type::kInt32) *static_cast<int32_t*>(at_) = static_cast<int32_t>(value);
  if (type_ == Type::kInt64) *static_cast<int64_t*>(at_) = value;
  if (type_ == Type::kUint64) *static_cast<uint64_t*>(at_) = static_cast<uint64_t>(value);
  return {};
}

Status Field::read_strings(const Json& value) const {
  auto& out = *static_cast<std::vector<std::string>*>(at_);
  for (const Json& item : value.items()) {
    if (!item.is_string()) {
      return InvalidArgument(name_, ": expected strings, got ", json_type_name(item.type()));
    }
    out.push_back(item.string());
  }
  return {};
}

std::string Field::write() const {
  switch (type_) {
    case Type::kString:
      return json_quote(*static_cast<const std::string*>(at_));
    case Type::kFinish:
      return json_quote(finish_name(*static_cast<const Finish*>(at_)));
    case Type::kLogprobs:
      return write_logprobs(*static_cast<const std::vector<TokenLogprob>*>(at_));
    case Type::kInt64:
      return cat(*static_cast<const int64_t*>(at_));
    case Type::kUint64:
      return cat(*static_cast<const uint64_t*>(at_));
    default:
      return "null";
  }
}

std::array<Field, 4> fields(ModelOptions& request) {
  return {{{"memoryLimit", &request.memory_limit},
           {"chatTemplate", &request.chat_template},
           {"modelFile", &request.model_file},
           {"accuracyLevel", &request.accuracy_level}}};
}

std::array<Field, 2> fields(SessionOptions& request) {
  return {{{"contextLength", &request.context_length}, {"sequences", &request.sequences}}};
}

namespace {

/// First what is asked, then how the text is to be written.
template <size_t kCount>
std::array<Field, kCount + 11> with_options(const std::array<Field, kCount>& asked,
                                            GenerateOptions& options) {
  runtime::SamplingOptions& sampling = options.sampling;
  const std::array<Field, 11> how = {{{"maxTokens", &options.max_tokens},
                                      {"temperature", &sampling.temperature},
                                      {"topK", &sampling.top_k},
                                      {"topP", &sampling.top_p},
                                      {"minP", &sampling.min_p},
                                      {"repetitionPenalty", &sampling.repetition_penalty},
                                      {"seed", &sampling.seed},
                                      {"stop", &options.stop},
                                      {"logprobs", &options.logprobs},
                                      Field::object("jsonSchema", &options.json_schema),
                                      {"grammar", &options.grammar}}};
  return [&]<size_t... kAsked, size_t... kHow>(std::index_sequence<kAsked...>,
                                               std::index_sequence<kHow...>) {
    return std::array<Field, kCount + 11>{{asked[kAsked]..., how[kHow]...}};
  }(std::make_index_sequence<kCount>(), std::make_index_sequence<11>());
}

}  // namespace

std::array<Field, 12> fields(GenerateRequest& request) {
  return with_options<1>({{{"prompt", &request.prompt, Field::kRequired}}}, request.options);
}

std::array<Field, 17> fields(ChatRequest& request) {
  text::Chat& chat = request.chat;
  return with_options<6>({{Field::list("messages", &chat.messages, Field::kRequired),
                           Field::list("tools", &chat.tools),
                           Field::list("documents", &chat.documents),
                           Field::object("variables", &chat.variables),
                           {"addGenerationPrompt", &chat.add_generation_prompt},
                           {"localTime", &chat.local_time}}},
                         request.options);
}

std::array<Field, 3> fields(EmbedRequest& request) {
  return {{{"texts", &request.texts, Field::kRequired},
           {"prompt", &request.options.prompt},
           {"dimensions", &request.options.dimensions}}};
}

std::array<Field, 6> fields(GenerateResult& result) {
  return {{{"text", &result.text},
           {"tokens", &result.tokens},
           {"promptTokens", &result.prompt_tokens},
           {"cachedTokens", &result.cached_tokens},
           {"finishReason", &result.finish},
           {"logprobs", &result.logprobs}}};
}

std::array<Field, 3> fields(MemoryInfo& result) {
  return {{{"modelBytes", &result.model},
           {"kvCacheBytes", &result.kv_cache},
           {"arenaBytes", &result.arena}}};
}

Status read_request(std::string_view text, std::span<const Field> fields) {
  ENM_ASSIGN_OR_RETURN(const Json request, Json::parse(text));
  if (!request.is_object()) {
    return InvalidArgument("request: expected object, got ", json_type_name(request.type()));
  }
  for (const auto& [key, value] : request.members()) {
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const Field& one) { return one.name() == key; });
    if (field == fields.end()) return InvalidArgument("request: unknown ", quoted(key));
    ENM_RETURN_IF_ERROR(field->read(value));
  }
  for (const Field& field : fields) {
    if (field.is_required() && request.find(field.name()) == nullptr) {
      return InvalidArgument("request: ", quoted(field.name()), " is missing");
    }
  }
  return {};
}

namespace {

std::string write_bytes(std::string_view bytes) {
  std::string out = "[";
  for (char byte : bytes) {
    if (out.size() > 1) out += ',';
    append(out, int{static_cast<unsigned char>(byte)});
  }
  return out + "]";
}

std::string write_logprob(const TokenLogprob& token) {
  std::string text;
  for (size_t at = 0; at < token.bytes.size();) {
    text::append_utf8(text, text::next_code_point(token.bytes, at));
  }
  return cat("{\"id\":", token.id, ",\"text\":", json_quote(text),
             ",\"bytes\":", write_bytes(token.bytes), ",\"logprob\":", token.logprob);
}

}  // namespace

std::string write_logprobs(const std::vector<TokenLogprob>& logprobs) {
  std::string out = "[";
  for (const TokenLogprob& token : logprobs) {
    out += cat(out.size() > 1 ? "," : "", write_logprob(token), ",\"top\":[");
    for (size_t i = 0; i < token.top.size(); ++i) {
      out += cat(i > 0 ? "," : "", write_logprob(token.top[i]), '}');
    }
    out += "]}";
  }
  return out + "]";
}

std::string write_result(std::span<const Field> fields) {
  std::string out;
  for (const Field& field : fields) {
    out += cat(out.empty() ? "{" : ",", json_quote(field.name()), ":", field.write());
  }
  return out + "}";
}

}  // namespace enm::pipeline
