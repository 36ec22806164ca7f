// Renders templates: reads a JSON list of {template, variables, now?} from the file that is named,
// prints a JSON list with {text} or {error, code} for each. What the tests hold beside jinja2.
#include <cstdio>

#include "enm/base/file_posix.h"
#include "enm/text/jinja/template.h"

namespace {

using enm::Json;
using enm::Result;

Result<std::string> render(const Json& given) {
  ENM_ASSIGN_OR_RETURN(const std::string source, given.get_string("template"));
  ENM_ASSIGN_OR_RETURN(const auto parsed, enm::text::jinja::Template::parse(source));
  ENM_ASSIGN_OR_RETURN(const Json* variables, given.get("variables"));
  std::optional<int64_t> now;
  if (const Json* seconds = given.find("now")) now = seconds->integer();
  return parsed.render(*variables, now);
}

std::string answer(const Json& given) {
  const auto text = render(given);
  if (text.ok()) return enm::cat("{\"text\":", enm::json_quote(*text), "}");
  return enm::cat("{\"error\":", enm::json_quote(text.status().message()),
                  ",\"code\":", enm::json_quote(enm::code_name(text.status().code())), "}");
}

}  // namespace

int main(int argc, char** argv) {
  const auto bytes = enm::read_file(argc > 1 ? argv[1] : "", 1 << 28);
  if (!bytes.ok()) return 2;
  const auto all = Json::parse(enm::as_text(*bytes));
  if (!all.ok()) return 3;
  std::string out;
  for (const Json& given : all->items()) out += (out.empty() ? "[" : ",\n") + answer(given);
  out += out.empty() ? "[]" : "]";
  std::fwrite(out.data(), 1, out.size(), stdout);
  return 0;
}
