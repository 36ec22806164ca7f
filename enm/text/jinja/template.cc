#include "enm/text/jinja/template.h"

#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/parser.h"

namespace enm::text::jinja {
namespace {

Value to_value(Heap& heap, const Json& json) {
  switch (json.type()) {
    case Json::Type::kNull:
      return Value::none();
    case Json::Type::kBool:
      return Value::boolean(json.boolean());
    case Json::Type::kInt:
      return heap.integer(json.integer());
    case Json::Type::kDouble:
      return heap.number(json.number());
    case Json::Type::kString:
      return heap.string(json.string());
    case Json::Type::kArray: {
      Items out(heap);
      for (const Json& item : json.items()) out.add(to_value(heap, item));
      return out.done();
    }
    case Json::Type::kObject: {
      List<Pair> out(heap);
      for (const auto& [key, value] : json.members()) {
        out.add({heap.string(key), to_value(heap, value)});
      }
      return heap.object(Kind::kDict, out.begin(), out.size());
    }
  }
  return {};
}

// Line ends become \n, and one at the end goes.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && source.substr(i + 1).starts_with('\n')) continue;
    out += source[i] == '\r' ? '\n' : source[i];
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace

struct Template::Parsed {
  Parsed(std::string text, const Limits& asked)
      : limits(asked), source(std::move(text)), heap(asked) {}
  const Limits limits;
  const std::string source;
  Heap heap;  // of the nodes
  std::span<Node*> body;
};

Result<Template> Template::parse(std::string_view source, const Limits& limits) {
  if (source.size() > limits.source_bytes) {
    return ResourceExhausted("a template of ", source.size(), " bytes; at most ",
                             limits.source_bytes, " are accepted");
  }
  if (!is_utf8(source)) return InvalidArgument("the template is not UTF-8");
  auto parsed = std::make_shared<Parsed>(normalized(source), limits);
  parsed->body = jinja::parse(parsed->heap, parsed->source);
  ENM_RETURN_IF_ERROR(parsed->heap.status());
  Template out;
  out.parsed_ = std::move(parsed);
  return out;
}

Result<std::string> Template::render(const Json& variables, std::optional<int64_t> now) const {
  Interpreter interpreter(parsed_->limits, now);
  for (const auto& [name, value] : variables.members()) {
    interpreter.define(name, to_value(interpreter, value));
  }
  const std::string_view out = interpreter.render(parsed_->body);
  ENM_RETURN_IF_ERROR(interpreter.status());
  return std::string(out);
}

}  // namespace enm::text::jinja
