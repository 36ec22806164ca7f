// Grammars as automata: which texts fit, what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "enm/base/mutate.h"
#include "enm/text/grammar/automaton.h"
#include "enm/text/grammar/gbnf.h"
#include "enm/text/grammar/json_schema.h"

namespace enm::text::grammar {
namespace {

using testing::HasSubstr;

Result<std::shared_ptr<const Program>> compiled(Result<Grammar> grammar) {
  if (!grammar.ok()) return grammar.status();
  return Program::compile(*grammar);
}

bool fits(Automaton& automaton, std::string_view text) {
  Automaton::State state = automaton.start();
  for (char byte : text) state = automaton.step(state, static_cast<uint8_t>(byte));
  return automaton.may_end(state);
}

class Language {
 public:
  explicit Language(Result<Grammar> grammar) {
    const auto program = compiled(std::move(grammar));
    EXPECT_TRUE(program.ok()) << program.status().message();
    if (program.ok()) automaton_.emplace(*program);
  }
  bool has(std::string_view text) { return automaton_ && fits(*automaton_, text); }

 private:
  std::optional<Automaton> automaton_;
};

Language gbnf(std::string_view text) { return Language(parse_gbnf(text)); }

Language schema(std::string_view text) {
  const auto json = Json::parse(text);
  EXPECT_TRUE(json.ok()) << text;
  return Language(grammar_of_schema(*json));
}

struct Case {
  std::string grammar;
  std::vector<std::string> fitting;
  std::vector<std::string> others;
};

void expect(Language language, const Case& one) {
  for (const auto& text : one.fitting)
    EXPECT_TRUE(language.has(text)) << one.grammar << " : " << text;
  for (const auto& text : one.others)
    EXPECT_FALSE(language.has(text)) << one.grammar << " : " << text;
}

TEST(Gbnf, TextsThatFit) {
  const Case cases[] = {
      {R"(root ::= "a" | "bc")", {"a", "bc"}, {"", "b", "ab", "bcc"}},
      {R"(root ::= [a-cx] [^a-c\n])", {"aé", "xd", "b\U0001F600"}, {"aa", "dd", "a\n", "a"}},
      {R"(root ::= "a"* "b"+ "c"?)", {"b", "aabbc"}, {"", "a", "bcc"}},
      {R"(root ::= ("ab" | "c"){2,3})", {"abc", "ccc", "ababab"}, {"c", "cccc", "abab a"}},
      {R"(root ::= [0-9]{2} "-" [0-9]{1,})", {"12-3", "00-123"}, {"1-2", "12-"}},
      {"root ::= . .", {"é中", "a\n"}, {"a", "abc"}},
      {R"(root ::= "\x41\u00e9\U0001F600\t\"\\[")", {"Aé\U0001F600\t\"\\["}, {"A"}},
      {R"x(# a sum
          root ::= term ("+" term)*  # of terms
          term ::= [0-9]+ |
                   ("(" root
                   ")")
       )x",
       {"1", "1+22", "(1+2)+3", "((((7))))"},
       {"", "1+", "(1", "1)"}},
      {"root ::= as \"b\"\nas ::= \"a\" as | \"\"", {"b", "aaaaab"}, {"a", "ba"}},
      {R"(root ::= [\x80-\u07ff\U00010000-\U0010FFFF]+)",
       {"\u0080", "\u07ff\U0010FFFF"},
       {"\x7f", "\u0800", "\uffff"}},
      {R"(root ::= ("a"?)*)", {"", "aaa"}, {"b"}},
      {R"(root ::= ("a"?){2,4} "b")", {"b", "aaaab"}, {"aaaaab"}},
  };
  for (const Case& one : cases) expect(gbnf(one.grammar), one);
}

TEST(Gbnf, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "rule \"root\" is not defined"},
      {"root ::= a", "rule \"a\" is not defined"},
      {"root ::= \"a\"\nroot ::= \"b\"", "line 2: rule \"root\" is defined twice"},
      {"root ::= \"a", "line 1: a text without an end"},
      {"root ::= [a", "a text without an end"},
      {"root ::= [b-a]", "ends before it begins"},
      {"root ::= (\"a\"", "expected )"},
      {"root ::= \"a\"{2,1}", "wrong way round"},
      {"root ::= \"a\"{9999999}", "1000000"},
      {"root ::= \"\\q\"", "an escape that is not known"},
      {"root ::= \"\\ud800\"", "no character"},
      {"root : \"a\"", "expected ::="},
      {"root ::= root \"a\" | \"b\"", "rule \"root\" begins with itself"},
      {"root ::= x\nx ::= \"\" y\ny ::= \"c\"? x \"a\" | \"z\"", "begins with itself"},
      {"root ::= \"a\" root", "no text fits"},
      {"root ::= []", "no text fits"},
      {"\xff", "no UTF-8"},
  };
  for (const auto& [text, message] : wrong) {
    const auto program = compiled(parse_gbnf(text));
    ASSERT_FALSE(program.ok()) << text;
    EXPECT_THAT(std::string(program.status().message()), HasSubstr(message)) << text;
  }
}

TEST(Gbnf, WaysWithoutAnEndAreLeftOut) {
  Language language =
      gbnf("root ::= \"a\" | \"b\" never | (\"c\" never)* \"d\"\nnever ::= \"x\" never");
  EXPECT_TRUE(language.has("a"));
  EXPECT_TRUE(language.has("d"));
  EXPECT_FALSE(language.has("b"));
}

TEST(JsonSchema, Documents) {
  const Case cases[] = {
      {"{}",
       {"1", "-0.5e+10", "\"a\\n\\u00e9\"", "[1, {\"a\":[]}, null]", "{}", "[\n  true]"},
       {"", "01", "1.", "\"\n\"", "[1,]", "{\"a\"}", "\"\\ud800\"", "1 "}},
      {R"({"type": "boolean"})", {"true", "false"}, {"null", "0"}},
      {R"({"type": ["null", "integer"]})", {"null", "12", "-3", "0"}, {"1.5", "01", "-"}},
      {R"({"enum": ["a", 1, null, {"x": [true]}]})",
       {"\"a\"", "1", "null", "{\"x\":[true]}"},
       {"a", "2"}},
      {R"({"enum": ["a", 1], "type": "string"})", {"\"a\""}, {"1"}},
      {R"({"const": "é\n"})", {"\"é\\n\""}, {"\"é\""}},
      {R"({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "null"}}, "required": ["b"]})",
       {"{\"b\":null}", "{\"a\":1,\"b\":null}", "{ \"a\": 1, \"b\": null }",
        "{\n  \"a\": 1,\n  \"b\": null\n}"},
       {"{}", "{\"a\":1}", "{\"b\":null,\"a\":1}", "{\"b\":null,\"c\":1}",
        "{\"a\":1 ,\"b\":null}"}},
      {R"({"type": "object", "properties": {"ab": {"type": "null"}}, "additionalProperties": {"type": "boolean"}})",
       {"{}", "{\"ab\":null}", "{\"ab\":null,\"a\":true}", "{\"abc\":false,\"\":true,\"x\":true}"},
       {"{\"ab\":true}", "{\"a\":null}", "{\"a\":true,\"ab\":null}"}},
      {R"({"type": "object", "additionalProperties": false})", {"{}", "{ }"}, {"{\"a\":1}"}},
      {R"({"properties": {"a": true, "b": true}, "minProperties": 1})",
       {"{\"a\":1}", "{\"b\":2}"},
       {"{}"}},
      {R"({"properties": {"a": false, "b": {}}})", {"{}", "{\"b\":[]}"}, {"{\"a\":1}"}},
      {R"({"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3})",
       {"[true]", "[true, false,true]"},
       {"[]", "[true,true,true,true]", "[1]"}},
      {R"({"type": "array", "prefixItems": [{"type": "null"}, {"type": "boolean"}], "items": {"const": 1}, "maxItems": 4})",
       {"[]", "[null]", "[null,true]", "[null,true,1,1]"},
       {"[true]", "[null,true,1,1,1]", "[null,1]"}},
      {R"({"type": "array", "prefixItems": [{"type": "null"}, {"type": "boolean"}], "items": false, "minItems": 2})",
       {"[null,true]"},
       {"[]", "[null]", "[null,true,1]"}},
      {R"({"type": "string", "minLength": 2, "maxLength": 3})",
       {"\"ab\"", "\"é\U0001F600x\"", "\"\\n\\ud83d\\ude00\\u0041\""},
       {"\"a\"", "\"abcd\"", "\"\\ud83d\\ude00\""}},
      {R"({"pattern": "^[a-c]+(-\\d{2})?$"})",
       {"\"abc\"", "\"a-12\""},
       {"\"\"", "\"d\"", "\"a-1\""}},
      {R"({"pattern": "b"})", {"\"b\"", "\"abc\"", "\"\\nb\\\\\""}, {"\"a\"", "b"}},
      {R"({"pattern": "^(a|\"|\\\\)$|^x"})",
       {"\"a\"", "\"\\\"\"", "\"\\\\\"", "\"xyz\""},
       {"\"b\"", "\"\"\"", "\"ax\""}},
      {R"({"pattern": "^\\s[^\\w]$", "maxLength": 2})",
       {"\" -\"", "\"\\t\\n\"", "\"\\u000b!\""},
       {"\"\t-\"", "\" a\""}},
      {R"({"type": "integer", "minimum": -12, "exclusiveMaximum": 105})",
       {"-12", "-1", "0", "7", "99", "100", "104"},
       {"-13", "105", "110", "-0", "007", "1000", "-20"}},
      {R"({"type": "integer", "minimum": 7})", {"7", "10", "123456789"}, {"6", "0", "-7"}},
      {R"({"type": "integer", "minimum": 3, "maximum": 2, "$comment": "none"})", {}, {"2", "3"}},
      {R"({"type": "number", "minimum": -1, "maximum": 2})",
       {"-1", "-0.75", "0", "0.001", "1.999", "2", "1"},
       {"-1.1", "2.1", "3", "2.", "1e1"}},
      {R"({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5})",
       {"0.001", "0.500", "0.250"},
       {"0", "0.501", "1", "0.000"}},
      {R"({"type": "number", "minimum": 99.5, "maximum": 1000.5})",
       {"99.5", "100.0", "999.9", "1000.5", "100", "1000"},
       {"99.4", "1000.6", "1001", "99"}},
      {R"({"format": "date"})",
       {"\"2024-02-29\"", "\"2000-02-29\"", "\"1999-12-31\""},
       {"\"2023-02-29\"", "\"1900-02-29\"", "\"2024-04-31\"", "\"2024-13-01\""}},
      {R"({"format": "date-time"})",
       {"\"2024-05-06T07:08:09Z\"", "\"2024-05-06T07:08:09.5+01:00\""},
       {"\"2024-05-06T24:08:09Z\""}},
      {R"({"format": "uuid"})", {"\"01234567-89ab-cdef-0123-456789abcdef\""}, {"\"0123\""}},
      {R"({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/x"}], "$defs": {"x": {"const": 5}}})",
       {"null", "5"},
       {"6"}},
      {R"({"type": "object", "properties": {"k": {"type": "string"}}, "required": ["k"],
           "anyOf": [{"properties": {"k": {"const": "a"}}}, {"properties": {"k": {"enum": ["b", "c"]}, "n": {"type": "null"}}}]})",
       {"{\"k\":\"a\"}", "{\"k\":\"b\",\"n\":null}", "{\"k\":\"c\"}"},
       {"{\"k\":\"a\",\"n\":null}", "{\"k\":\"d\"}", "{}"}},
      {R"({"allOf": [{"type": "number", "minimum": 1}, {"type": "integer", "maximum": 12}, {"minimum": 10}]})",
       {"10", "12"},
       {"9", "13", "10.5"}},
      {R"({"allOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"properties": {"a": {"minimum": 5}, "b": {"type": "null"}}}]})",
       {"{\"a\":5}", "{\"a\":6,\"b\":null}"},
       {"{\"a\":4}", "{}"}},
      {R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}, "required": ["next"]}}})",
       {"{\"next\":null}", "{\"next\":{\"next\":{\"next\":null}}}"},
       {"{}", "{\"next\":{}}"}},
      {R"({"type": "object", "properties": {"next": {"$ref": "#", "minProperties": 1}, "end": {"type": "null"}}})",
       {"{}", "{\"end\":null}", "{\"next\":{\"end\":null}}",
        "{\"next\":{\"next\":{\"end\":null}}}"},
       {"{\"next\":{}}", "{\"next\":{\"next\":{}}}"}},
  };
  for (const Case& one : cases) {
    if (one.fitting.empty()) {
      EXPECT_FALSE(compiled(grammar_of_schema(*Json::parse(one.grammar))).ok()) << one.grammar;
    } else {
      expect(schema(one.grammar), one);
    }
  }
}

TEST(JsonSchema, IntegerRangesAreExact) {
  const int64_t bounds[] = {-1005, -100, -99, -10, -9,  -1,  0,   1,   9,
                            10,    11,   99,  100, 101, 199, 999, 1000};
  for (int64_t low : bounds) {
    for (int64_t high : bounds) {
      if (low > high) continue;
      Language language =
          schema(cat(R"({"type":"integer","minimum":)", low, R"(,"maximum":)", high, "}"));
      for (int64_t value = -1100; value <= 1100; ++value) {
        ASSERT_EQ(language.has(cat(value)), low <= value && value <= high)
            << low << ".." << high << " " << value;
      }
    }
  }
}

TEST(JsonSchema, NamesWhatItRefuses) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({"not": {}})", "keyword \"not\" is not supported"},
      {R"({"properties": {"a": {"minLenght": 1}}})", "#/properties/a: keyword \"minLenght\""},
      {R"({"type": "strin"})", "type \"strin\""},
      {R"({"$ref": "#/$defs/a"})", "leads to nothing"},
      {R"({"$ref": "http://x/y"})", "leads to nothing"},
      {R"({"$ref": "#"})", "$ref leads to itself"},
      {R"({"anyOf": [{"$ref": "#"}, {"type": "null"}]})", "begins with itself"},
      {R"({"$ref": "#", "minLength": 1})", "$ref"},
      {R"x({"pattern": "a(?=b)"})x", "look around"},
      {R"({"pattern": "a\\b"})", "escape"},
      {R"({"pattern": "(a"})", "a ( without a )"},
      {R"({"pattern": "a^b"})", "a ^ where"},
      {R"({"pattern": "a*", "maxLength": 5})", "does not keep"},
      {R"({"format": "regex"})", "format \"regex\""},
      {R"({"uniqueItems": true})", "uniqueItems"},
      {R"({"minLength": -1})", "minLength is -1"},
      {R"({"minimum": "1"})", "minimum is \"1\""},
      {R"({"enum": [1], "minimum": 0})", "beside enum"},
      {R"([])", "a schema is an object"},
      {R"({"type": "object", "properties": {"a": false}, "required": ["a"]})", "no text fits"},
  };
  for (const auto& [text, message] : wrong) {
    const auto program = compiled(grammar_of_schema(*Json::parse(text)));
    ASSERT_FALSE(program.ok()) << text;
    EXPECT_THAT(std::string(program.status().message()), HasSubstr(message)) << text;
  }
}

// Whatever is read ends: as a grammar that a text can be run through, or as an error.
void run_through(Result<Grammar> grammar, std::string_view text) {
  const auto program = compiled(std::move(grammar));
  if (!program.ok()) {
    EXPECT_FALSE(program.status().message().empty());
    return;
  }
  Automaton automaton(*program);
  Automaton::State state = automaton.start();
  for (char byte : text.substr(0, 200)) {
    automaton.forget_all_but(state);
    automaton.loop(state);
    state = automaton.step(state, static_cast<uint8_t>(byte));
  }
}

const auto kMutations = static_cast<uint64_t>(seeded_cases());

TEST(Gbnf, DamagedGrammarsAreErrorsOrGrammars) {
  const std::string good = R"x(root ::= "a" [^b-d\x41]{2,9} (x | "é" root)* # more
x ::= [0-9]+ "\u00e9" | y?
y ::= "{" (y | .){0,3} "}"
)x";
  for (uint64_t seed = 0; seed < kMutations; ++seed) {
    const auto bytes = Mutator(seed).mutate(as_bytes(good));
    run_through(parse_gbnf(as_text(bytes)), "axx12\u00e9axx{{}}");
  }
}

TEST(JsonSchema, DamagedSchemasAreErrorsOrGrammars) {
  const std::string good =
      R"({"type":["object","null"],"properties":{"a":{"type":"string","maxLength":9},
    "b":{"pattern":"^(x|[a-c]{2,4})+$"},"n":{"type":"number","minimum":-1.5,"exclusiveMaximum":20}},
    "required":["a"],"additionalProperties":{"$ref":"#/$defs/d"},"$defs":{"d":{"anyOf":[{"items":{"$ref":"#"},
    "minItems":1,"maxItems":3},{"enum":["x",1,null]},{"allOf":[{"minimum":3},{"type":"integer"}]}]}}})";
  for (uint64_t seed = 0; seed < kMutations; ++seed) {
    const auto bytes = Mutator(seed).mutate(as_bytes(good));
    const auto schema = Json::parse(as_text(bytes));
    if (schema.ok())
      run_through(grammar_of_schema(*schema),
                  "{\"a\":\"x\",\"b\":\"abx\",\"n\":1.25,\"z\":[null]}");
  }
}

TEST(Automaton, LimitsAreErrors) {
  // As many ways open as the text is long, squared.
  const auto program = compiled(
      parse_gbnf(R"(root ::= (("a" | "aa"){0,100000} ("a" | "aa"){0,100000}){0,1000} "b")"));
  ASSERT_TRUE(program.ok());
  Automaton automaton(*program);
  Automaton::State state = automaton.start();
  for (int i = 0; i < 100'000 && automaton.status().ok(); ++i) state = automaton.step(state, 'a');
  EXPECT_EQ(automaton.status().code(), Code::kResourceExhausted);
  EXPECT_EQ(automaton.step(automaton.start(), 'a'), Automaton::kDead);
}

TEST(Automaton, ForgettingKeepsThePlace) {
  const auto program = compiled(parse_gbnf(R"x(root ::= "(" (root | [a-z]{0,100000}) ")")x"));
  ASSERT_TRUE(program.ok());
  Automaton automaton(*program);
  Automaton::State state = automaton.step(automaton.step(automaton.start(), '('), '(');
  int forgotten = 0;
  for (int i = 0; i < 60'000; ++i) {
    state = automaton.step(state, "abc"[i % 3]);
    forgotten += automaton.forget_all_but(state) ? 1 : 0;
  }
  EXPECT_GT(forgotten, 0);
  EXPECT_FALSE(automaton.may_end(state));
  state = automaton.step(automaton.step(state, ')'), ')');
  EXPECT_TRUE(automaton.may_end(state));
  EXPECT_FALSE(automaton.may_go_on(state));
  EXPECT_TRUE(fits(automaton, "(abc)"));
}

}  // namespace
}  // namespace enm::text::grammar
