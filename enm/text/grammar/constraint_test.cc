// Masks of tokens beside the slow way: each token's text through the automaton.
#include <gtest/gtest.h>

#include "enm/base/file_posix.h"
#include "enm/text/grammar/constraint.h"
#include "enm/text/grammar/gbnf.h"
#include "enm/text/grammar/json_schema.h"

namespace enm::text::grammar {
namespace {

const Tokenizer& bundled() {
  static const auto tokenizer = [] {
    const auto bytes = read_file(ENM_SOURCE_DIR "/models/fable-8m/tokenizer.json", 1 << 24);
    return *Tokenizer::parse(as_text(*bytes));
  }();
  return tokenizer;
}

constexpr int64_t kVocab = 8192;
constexpr int32_t kEnd = 0;

class MasksTest : public testing::TestWithParam<const char*> {};

std::shared_ptr<const Program> program_of(std::string_view text) {
  auto grammar = text[0] == '{' ? grammar_of_schema(*Json::parse(text)) : parse_gbnf(text);
  EXPECT_TRUE(grammar.ok()) << grammar.status().message();
  return *Program::compile(*grammar);
}

TEST_P(MasksTest, AreThoseOfTheAutomaton) {
  const auto program = program_of(GetParam());
  const TokenTexts texts(bundled(), kVocab);
  const std::vector<int32_t> end_tokens = {kEnd};
  Constraint constraint(program, bundled(), texts, end_tokens);
  Automaton slow(program);
  std::string text;
  uint64_t dice = 1;
  for (int step = 0; step < 60 && !constraint.finished(); ++step) {
    Automaton::State state = slow.start();
    for (char byte : text) state = slow.step(state, static_cast<uint8_t>(byte));
    const auto allowed = constraint.allowed();
    ASSERT_TRUE(allowed.ok()) << allowed.status().message();
    std::vector<int32_t> candidates;
    for (int32_t token = 0; token < kVocab; ++token) {
      const bool bit = ((*allowed)[static_cast<size_t>(token) / 32] >> (token % 32) & 1) != 0;
      std::string bytes;
      bool expected = slow.may_end(state);
      if (token != kEnd) {
        Automaton::State next = state;
        expected = bundled().append_text(token, step == 0, bytes) && !bytes.empty();
        for (char byte : bytes) next = slow.step(next, static_cast<uint8_t>(byte));
        expected = expected && next != Automaton::kDead;
      }
      ASSERT_EQ(bit, expected) << text << " + " << bytes;
      if (bit && token != kEnd) candidates.push_back(token);
    }
    if (candidates.empty()) break;
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    const int32_t token = candidates[(dice >> 33) % candidates.size()];
    bundled().append_text(token, step == 0, text);
    constraint.take(token);
  }
  EXPECT_FALSE(text.empty());
  constraint.restart();
  EXPECT_TRUE(constraint.allowed().ok());
}

INSTANTIATE_TEST_SUITE_P(
    Grammars, MasksTest,
    testing::Values(
        R"({})", R"({"type": "string", "maxLength": 30})",
        R"({"type": "array", "items": {"type": "string", "minLength": 2, "maxLength": 5}})",
        R"({"type": "object", "additionalProperties": {"pattern": "^[a-z ]{3,9}$"}})",
        R"(root ::= [a-z ]{2,12} [a-m]* ".")", R"(root ::= ([a-z]{1,3} | [b-x ]{2,5}){1,4} "é")",
        R"(root ::= ([^\n"]{0,20} "\n"){5})", R"(root ::= . | [α-ω]{3,40} | "日本" .*)"));

TEST(Constraint, AVocabularyWithoutTheLettersIsAnError) {
  const auto tokenizer = Tokenizer::parse(R"({
    "pre_tokenizer": {"type": "ByteLevel"}, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": []}})");
  ASSERT_TRUE(tokenizer.ok());
  const TokenTexts texts(*tokenizer, 2);
  const std::vector<int32_t> no_end;
  Constraint constraint(program_of(R"(root ::= "ac")"), *tokenizer, texts, no_end);
  EXPECT_EQ((*constraint.allowed())[0], 1u);
  constraint.take(0);
  EXPECT_EQ(constraint.allowed().status().code(), Code::kUnsupported);
}

}  // namespace
}  // namespace enm::text::grammar
