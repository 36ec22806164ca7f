#include "enm/text/grammar/gbnf.h"

#include <algorithm>

#include "enm/text/grammar/scanner.h"
#include "enm/text/unicode.h"

namespace enm::text::grammar {
namespace {

using Node = Grammar::Node;
using Rule = Grammar::Rule;

constexpr size_t kMostBytes = size_t{1} << 18;
constexpr size_t kMostRules = size_t{1} << 12;
constexpr int kDeepest = 64;  // groups within groups

class Parser {
 public:
  Parser(std::string_view text, Grammar& grammar)
      : in_(text), grammar_(grammar), defined_(grammar.rules(), true) {}

  /// The root is there from the beginning, so that it is the first.
  void expect_root() { defined_[Grammar::kRoot] = false; }

  Status parse() {
    skip_space(true);
    while (!in_.done() && in_.ok()) {
      parse_rule();
      skip_space(true);
    }
    for (Rule rule = 0; rule < defined_.size(); ++rule) {
      if (!defined_[rule]) in_.fail({"rule ", quoted(grammar_.name(rule)), " is not defined"});
    }
    ENM_RETURN_IF_ERROR(in_.status("grammar"));
    return grammar_.status();
  }

 private:
  // White space and comments; past the end of a line only if it may go on behind it.
  void skip_space(bool lines) {
    while (!in_.done()) {
      const char c = in_.peek();
      if (c == '#') {
        while (!in_.done() && in_.peek() != '\n' && in_.peek() != '\r') in_.skip();
      } else if (c == ' ' || c == '\t' || (lines && (c == '\n' || c == '\r'))) {
        in_.skip();
      } else {
        return;
      }
    }
  }

  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  }

  std::string_view name() {
    const size_t begin = in_.at();
    while (!in_.done() && is_name(in_.peek())) in_.skip();
    if (in_.at() == begin) in_.fail("expected a rule's name");
    return in_.since(begin);
  }

  Rule rule_of(std::string_view name) {
    const Rule rule = grammar_.find(name);
    if (rule < grammar_.rules()) return rule;
    if (rule == kMostRules) in_.fail("more than 4096 rules");
    defined_.push_back(false);
    return grammar_.add_rule(name);
  }

  void parse_rule() {
    const std::string_view text = name();
    skip_space(false);
    if (!in_.take("::=")) return in_.fail("expected ::= behind a rule's name");
    const Rule rule = rule_of(text);
    if (defined_[rule]) return in_.fail({"rule ", quoted(text), " is defined twice"});
    defined_[rule] = true;
    skip_space(true);
    grammar_.define(rule, alternatives(0));
    if (!in_.done() && in_.peek() != '\n' && in_.peek() != '\r') in_.fail("expected a new line");
  }

  Node alternatives(int depth) {
    std::vector<Node> ways = {sequence(depth)};
    while (in_.ok() && in_.take("|")) {
      skip_space(true);
      ways.push_back(sequence(depth));
    }
    return grammar_.choice(ways);
  }

  Node sequence(int depth) {
    std::vector<Node> parts;
    while (in_.ok() && grammar_.ok() && !in_.done()) {
      const char c = in_.peek();
      if (c == '"') {
        parts.push_back(literal());
      } else if (c == '[') {
        parts.push_back(set());
      } else if (c == '.') {
        in_.skip();
        parts.push_back(grammar_.set(complement({})));
      } else if (c == '(') {
        parts.push_back(group(depth));
      } else if (is_name(c)) {
        parts.push_back(grammar_.call(rule_of(name())));
      } else {
        break;
      }
      parts.back() = repeated(parts.back());
      skip_space(depth > 0);
    }
    return grammar_.sequence(parts);
  }

  Node group(int depth) {
    if (depth == kDeepest) return in_.fail("groups are too deep"), Grammar::kEmpty;
    in_.skip();
    skip_space(true);
    const Node inside = alternatives(depth + 1);
    if (!in_.take(")")) in_.fail("expected )");
    return inside;
  }

  Node repeated(Node node) {
    int times = 0;  // a repetition may be repeated
    for (uint32_t min, max; in_.ok() && in_.take_quantifier(min, max);) {
      if (++times > 4) in_.fail("repetitions of repetitions are too deep");
      node = grammar_.repeat(node, min, max);
    }
    return node;
  }

  Node literal() {
    in_.skip();
    std::string bytes;
    while (in_.ok() && !in_.take("\"")) append_utf8(bytes, character());
    return grammar_.literal(bytes);
  }

  Node set() {
    in_.skip();
    const bool negated = in_.take("^");
    CharSet ranges;
    while (in_.ok() && !in_.take("]")) {
      Range range;
      range.first = range.last = character();
      if (in_.peek() == '-' && in_.peek(1) != ']') {
        in_.skip();
        range.last = character();
        if (range.last < range.first) in_.fail("a range that ends before it begins");
      }
      ranges.push_back(range);
    }
    ranges = normalized(std::move(ranges));
    return grammar_.set(negated ? complement(ranges) : ranges);
  }

  uint32_t character() {
    if (in_.done() || in_.peek() == '\n') return in_.fail("a text without an end"), 0;
    if (!in_.take("\\")) return in_.code_point();
    const char c = in_.peek();
    in_.skip();
    switch (c) {
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'x':
        return in_.hex(2);
      case 'u':
        return in_.hex(4);
      case 'U':
        return in_.hex(8);
      case '\\':
      case '"':
      case '[':
      case ']':
        return static_cast<uint32_t>(c);
      default:
        return in_.fail("an escape that is not known"), 0;
    }
  }

  Scanner in_;
  Grammar& grammar_;
  std::vector<bool> defined_;  // of the rules
};

}  // namespace

Status append_gbnf(std::string_view text, Grammar& grammar) {
  return Parser(text, grammar).parse();
}

Result<Grammar> parse_gbnf(std::string_view text) {
  if (text.size() > kMostBytes) {
    return failure(Code::kResourceExhausted, {"grammar: more than 256 KiB"});
  }
  if (!is_utf8(text)) return failure(Code::kInvalidArgument, {"grammar: the text is no UTF-8"});
  Grammar grammar;
  grammar.add_rule("root");
  Parser parser(text, grammar);
  parser.expect_root();
  ENM_RETURN_IF_ERROR(parser.parse());
  return grammar;
}

}  // namespace enm::text::grammar
