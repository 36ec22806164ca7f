// constrained_bench [TOKENIZER_JSON]: what keeping a text to a schema costs a token, without a
// model: the mask of the tokens that may come next, and taking one of them. Without a file, a made
// vocabulary of 150,000 byte-level tokens.
#include <chrono>
#include <cstdio>
#include <set>

#include "enm/base/file_posix.h"
#include "enm/text/grammar/constraint.h"
#include "enm/text/grammar/json_schema.h"

namespace {

using namespace enm::text::grammar;
using Clock = std::chrono::steady_clock;

constexpr int kAnswers = 3;
constexpr int kTokens = 300;  // of an answer at most

class Dice {
 public:
  size_t below(size_t count) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % count;
  }

 private:
  uint64_t state_ = 1;
};

// Words, some with a space in front, some with punctuation, as byte-level vocabularies have them.
std::string made_tokenizer() {
  constexpr std::string_view kLetters = "etaoinshrdlucmfwypvbgkjqxz";
  constexpr std::string_view kMarks = "\"'.,:;{}[]()<>/\\|-+=*&^%$#@!?~`_0123456789";
  std::set<std::string> words;
  Dice dice;
  for (char c = 33; c < 127; ++c) words.insert(std::string(1, c));
  words.insert("\u0120");
  while (words.size() < 150'000) {
    std::string word = dice.below(2) == 0 ? "\u0120" : "";
    const bool marks = dice.below(10) == 0;
    const size_t size = 1 + dice.below(marks ? 4 : 9);
    for (size_t i = 0; i < size; ++i) {
      const auto& of = marks && dice.below(2) == 0 ? kMarks : kLetters;
      word += of[std::min(dice.below(of.size()), dice.below(of.size()))];
    }
    words.insert(word);
  }
  std::string vocab;
  int id = 0;
  for (const std::string& word : words) {
    vocab += enm::cat(id == 0 ? "" : ",", enm::json_quote(word), ":", id);
    ++id;
  }
  return enm::cat(
      R"({"pre_tokenizer":{"type":"ByteLevel"},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{)",
      vocab, R"(},"merges":[]}})");
}

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

const std::pair<const char*, const char*> kSchemas[] = {
    {"person",
     R"({"type":"object","properties":{"name":{"type":"string","maxLength":40},"age":{"type":"integer","minimum":0,"maximum":120},
         "tags":{"type":"array","items":{"type":"string","maxLength":20},"maxItems":8},"email":{"format":"email"}},"required":["name","age","tags"]})"},
    {"free string", R"({"type":"string"})"},
    {"string of at most 500", R"({"type":"string","maxLength":500})"},
    {"pattern", R"({"pattern":"^[A-Z][a-z]{2,30}( [a-z]{1,12}){10,60}\\.$"})"},
    {"any JSON", R"({})"},
};

void measure(const enm::text::Tokenizer& tokenizer, const TokenTexts& texts, const char* name,
             const char* schema) {
  const auto grammar = grammar_of_schema(*enm::Json::parse(schema));
  const auto program = Program::compile(*grammar);
  const std::vector<int32_t> no_end;
  Constraint constraint(*program, tokenizer, texts, no_end);
  Dice dice;
  for (int answer = 0; answer < kAnswers; ++answer) {
    constraint.restart();
    double total = 0;
    double longest = 0;
    int tokens = 0;
    for (; tokens < kTokens && !constraint.finished(); ++tokens) {
      const auto begin = Clock::now();
      const auto allowed = constraint.allowed();
      if (!allowed.ok()) break;
      double spent = milliseconds_since(begin);
      // One of those allowed, from a place drawn by chance on.
      size_t word = dice.below(allowed->size());
      while ((*allowed)[word] == 0) word = (word + 1) % allowed->size();
      const auto token = static_cast<int32_t>(word * 32) + std::countr_zero((*allowed)[word]);
      const auto taken = Clock::now();
      constraint.take(token);
      spent += milliseconds_since(taken);
      total += spent;
      longest = std::max(longest, spent);
    }
    std::printf("%-24s answer %d: %4d tokens, %8.4f ms a token, %7.3f the longest\n", name,
                answer + 1, tokens, total / std::max(tokens, 1), longest);
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::string file;
  if (count > 1) {
    const auto bytes = enm::read_file(arguments[1], 1 << 28);
    if (!bytes.ok()) return 1;
    file = enm::as_text(*bytes);
  } else {
    file = made_tokenizer();
  }
  const auto tokenizer = enm::text::Tokenizer::parse(file);
  if (!tokenizer.ok()) return std::puts(std::string(tokenizer.status().message()).c_str()), 1;
  int64_t vocab = 0;
  while (tokenizer->contains(static_cast<int32_t>(vocab))) ++vocab;
  const auto begin = Clock::now();
  const TokenTexts texts(*tokenizer, vocab);
  std::printf("%lld tokens, %u nodes, made in %.1f ms\n", static_cast<long long>(vocab),
              texts.inside().nodes(), milliseconds_since(begin));
  for (const auto& [name, schema] : kSchemas) measure(*tokenizer, texts, name, schema);
}
