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
  explicit Parser(std::string_view text) : in_(text) {}

  Result<Grammar> parse() {
    grammar_.add_rule("root");
    names_.push_back({"root", false});
    skip_space(true);
    while (!in_.done() && in_.ok()) {
      parse_rule();
      skip_space(true);
    }
    for (const Name& name : names_) {
      if (!name.defined) in_.fail(cat("rule ", quoted(name.text), " is not defined"));
    }
    if (!in_.ok()) return in_.status("grammar");
    ENM_RETURN_IF_ERROR(grammar_.status());
    return std::move(grammar_);
  }

 private:
  struct Name {
    std::string_view text;
    bool defined;
  };

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
    const auto known = std::ranges::find(names_, name, &Name::text);
    if (known != names_.end()) return static_cast<Rule>(known - names_.begin());
    if (names_.size() == kMostRules) in_.fail(cat("more than ", kMostRules, " rules"));
    names_.push_back({name, false});
    return grammar_.add_rule(name);
  }

  void parse_rule() {
    const std::string_view text = name();
    skip_space(false);
    if (!in_.take("::=")) return in_.fail("expected ::= behind a rule's name");
    const Rule rule = rule_of(text);
    if (names_[rule].defined) return in_.fail(cat("rule ", quoted(text), " is defined twice"));
    names_[rule].defined = true;
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
  Grammar grammar_;
  std::vector<Name> names_;  // of the rules
};

}  // namespace

Result<Grammar> parse_gbnf(std::string_view text) {
  if (text.size() > kMostBytes) {
    return ResourceExhausted("grammar: ", text.size(), " bytes; at most ", kMostBytes,
                             " are supported");
  }
  if (!is_utf8(text)) return InvalidArgument("grammar: the text is no UTF-8");
  return Parser(text).parse();
}

}  // namespace enm::text::grammar
