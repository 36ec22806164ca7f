#include "enm/text/jinja/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/base/file_posix.h"
#include "enm/base/mutate.h"

namespace enm::text::jinja {
namespace {

using testing::HasSubstr;

Json variables() {
  const auto json = Json::parse(
      R"({"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"},
          {"role": "assistant", "content": "Yes?"}, {"role": "user", "content": "Bye"}],
          "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
          "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>"})");
  EXPECT_TRUE(json.ok());
  return *json;
}

Result<std::string> render(std::string_view source) {
  ENM_ASSIGN_OR_RETURN(const Template parsed, Template::parse(source));
  return parsed.render(variables(), 0);
}

TEST(Template, Renders) {
  const auto text = render(
      "{% for m in messages %}<|{{ m.role }}|>{{ m['content'] }}{{ eos_token }}\n{% endfor %}"
      "{% if add_generation_prompt %}<|assistant|>{% endif %}");
  ASSERT_TRUE(text.ok()) << text.status().message();
  EXPECT_EQ(*text,
            "<|system|>Be kind.</s>\n<|user|>Hi</s>\n<|assistant|>Yes?</s>\n<|user|>Bye</s>\n"
            "<|assistant|>");
}

TEST(Template, SaysWhichLineIsWrong) {
  const auto failed = render("a\n{% if messages %}\n{{ messages[0].nothing.more }}{% endif %}");
  EXPECT_EQ(failed.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("line 3"));
  EXPECT_THAT(std::string(render("\n\n{{ 1 +").status().message()), HasSubstr("line 3"));
  EXPECT_THAT(std::string(render("{{ raise_exception('no tools here') }}").status().message()),
              HasSubstr("no tools here"));
}

TEST(HostileTemplate, EndsWithinItsLimits) {
  std::string deep, chain = "{{ 1", names;
  for (int i = 0; i < 100'000; ++i) deep += '(';
  for (int i = 0; i < 100'000; ++i) chain += "+1";
  for (int i = 0; i < 20'000; ++i) names += "{% if a %}";
  const std::string templates[] = {
      "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      R"({% set ns = namespace(s='x') %}
{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %})",
      "{{ 'x' * 99999999999 }}",
      "{{ [1] * 99999999999 }}",
      "{{ '%999999999d' % 1 }}{{ '%999999999d' % 1 }}{{ 'x'.center(99999999999) }}",
      "{% set s = 'x' * 9999999 %}{{ s.replace('x', s) }}",
      R"({% set s = 'x' * 9999999 %}
{% for a in range(99999) %}{% if s == s ~ '' %}{% endif %}{% endfor %})",
      "{% set s = 'x ' * 999999 %}{{ s.rsplit(none, 999999) | length }}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
      R"({% macro m() %}{{ caller() }}{% call m() %}{% endcall %}{% endmacro %}
{% call m() %}{% endcall %})",
      "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
      "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
      R"({% set ns = namespace(a=[]) %}
{% for i in range(9999) %}{% set ns.a = [ns.a] %}{% endfor %}{{ ns.a }})",
      "{{ " + deep,
      chain + " }}",
      names,
  };
  for (const std::string& source : templates) {
    const Code code = render(source).status().code();
    EXPECT_TRUE(code == Code::kResourceExhausted || code == Code::kInvalidArgument)
        << source.substr(0, 70) << ": " << code_name(code);
  }
}

// ENM_JINJA_CASES says how many; the sanitizers watch.
TEST(HostileTemplate, SurvivesDamage) {
  std::vector<std::string> seeds;
  for (const char* name : {"qwen3-0.6b", "llama-3.1-8b-instruct", "gemma-2-2b-it", "gpt-oss-120b",
                           "hermes-2-pro-llama-3-8b-tool-use", "granite-3.3-2b-instruct"}) {
    const auto bytes =
        read_file(cat(ENM_SOURCE_DIR "/tests/witness/chat_templates/", name, ".jinja"), 1 << 20);
    ASSERT_TRUE(bytes.ok()) << name;
    seeds.emplace_back(as_text(*bytes));
  }
  const int cases = seeded_cases();
  const Json given = variables();
  const Limits limits = {.steps = 200'000, .memory_bytes = 8u << 20};
  Mutator mutator(9);
  int parsed = 0;
  for (int i = 0; i < cases; ++i) {
    const auto bytes = mutator.mutate(as_bytes(seeds[static_cast<size_t>(i) % seeds.size()]));
    const auto made = Template::parse(as_text(bytes), limits);
    if (!made.ok()) continue;
    ++parsed;
    const auto text = made->render(given, 0);
    EXPECT_TRUE(!text.ok() || is_utf8(*text));
  }
  EXPECT_GT(parsed, cases / 10);
}

}  // namespace
}  // namespace enm::text::jinja
